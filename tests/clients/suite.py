#!/usr/bin/env python3
"""Runs each client's operations against four nodes, and compares what works with docs/clients.md.

    ./tests/clients/suite.py --bin DIR --work DIR [--base-port PORT] [--only CLIENT]… [--write]

`run` builds the node, installs the clients and calls this.
"""

import argparse
import json
import os
import shlex
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT / "scripts"))
from network import Failure, Network  # noqa: E402

TABLE = ROOT / "docs" / "clients.md"
BEGIN, END = "<!-- table: ./tests/clients/run --write -->\n", "<!-- end of the table -->\n"
# Longest run of one client, in seconds.
PATIENCE = 600

# In the order of the table. Every client of a row that it has no cell in cannot be asked for it.
OPERATIONS = {
    "connect": "connect",
    "metadata": "metadata (元数据)",
    "block hashes": "block hashes",
    "storage": "a value of the state",
    "a map's pages": "a map, page by page",
    "constants": "constants",
    "a long payload": "signed, payload over 256 bytes",
    "a short payload": "signed, shorter payload",
    "a mortal transaction": "mortal transaction",
    "an immortal transaction": "immortal transaction",
    "a batch": "batch",
    "an SM2 signature": "SM2 signature (国密签名)",
    "events of a success": "events of a success",
    "a contract's error, and the one within": "a contract's error, and the one within",
    "an error of the origin": "`BadOrigin`",
    "a call that the chain has not": "a call that the chain has not",
    "a refusal of the pool": "a refusal of the pool",
    "watching": "watching a transaction",
    "a transaction's hash": "the transaction's hash in the receipt",
    "a duplicate": "the same bytes twice",
    "three blocks in order": "three blocks in order",
    "bodies of blocks": "bodies of blocks",
    "old state": "old state",
    "fees": "asking for fees: there are none",
    "watching entries of a map": "watching a map",
    "the specification's reads": "`archive_v1_*`, `chainSpec_v1_*` by hand",
    "generated code": "code generated from the node",
    "without any setting": "immortal transaction without a setting",
    "a restart of the node": "goes on after the node's restart",
}

# Operations that the issue asks of every client that signs.
OF_ALL = [
    "connect", "metadata", "storage", "a map's pages", "constants", "events of a success",
    "a contract's error, and the one within", "a refusal of the pool", "a long payload",
    "a short payload", "a mortal transaction", "an immortal transaction", "a batch", "watching",
    "a duplicate", "three blocks in order", "old state", "a restart of the node",
]  # fmt: skip


def clients(work: Path) -> dict[str, tuple[list, Path, list[str]]]:
    """Name, command, folder and the operations that it must have."""
    at = work / "clients"
    return {
        "polkadot-js": (["node", "api.mjs"], at / "polkadot-js", OF_ALL),
        "signer": (["node", "signer.mjs"], at / "polkadot-js", ["an SM2 signature"]),
        "papi": (["node", "--import=./websocket.mjs", "test.mjs"], at / "papi", OF_ALL),
        "subxt": ([os.environ.get("BILLCHAIN_SUBXT", "billchain-clients-subxt")], at / "subxt", OF_ALL),
        "python": ([work / "venv" / "bin" / "python", "test.py"], at / "python", OF_ALL),
        "curl": (["./test"], at / "curl", ["connect", "metadata", "old state"]),
    }


class Client:
    """What one client reported."""

    def __init__(self, name: str):
        self.name = name
        self.version = "?"
        self.found: dict[str, dict] = {}
        self.problems: list[str] = []

    def read(self, text: str):
        for line in text.splitlines():
            try:
                said = json.loads(line)
            except ValueError:
                continue
            if not isinstance(said, dict):
                continue
            if "client" in said:
                self.name, self.version = said["client"], said["version"]
            elif "operation" in said:
                self.note(said)

    def note(self, said: dict):
        operation = said["operation"]
        if operation not in OPERATIONS:
            self.problems.append(f"{operation}: no operation of the table")
        elif operation in self.found:
            self.problems.append(f"{operation}: reported twice")
        elif said["outcome"] == "failed":
            self.problems.append(f"{operation}: {said['note']}")
        self.found[operation] = said

    def cell(self, operation: str, notes: list[str]) -> str:
        said = self.found.get(operation)
        if said is None:
            return ""
        if said["outcome"] == "works":
            return "yes"
        if said["outcome"] == "failed":
            return "FAILED"
        if said["note"] not in notes:
            notes.append(said["note"])
        word = "with" if said["outcome"] == "setting" else "no:"
        return f"{word} [{notes.index(said['note']) + 1}]"


def run(name: str, network: Network, work: Path, base: int) -> Client:
    """Runs a client's operations."""
    command, folder, expected = clients(work)[name]
    url = network.url(1)
    environment = {
        **os.environ,
        "BILLCHAIN_HTTP": url,
        "BILLCHAIN_WS": url.replace("http", "ws", 1),
        "BILLCHAIN_BASE": str(base),
        "BILLCHAIN_RESTART": str(work / "restart"),
    }
    client = Client(name)
    try:
        done = subprocess.run(
            [str(part) for part in command], cwd=folder, env=environment, capture_output=True,
            text=True, timeout=PATIENCE,
        )  # fmt: skip
    except subprocess.TimeoutExpired as late:
        client.read((late.stdout or b"").decode(errors="replace"))
        client.problems.append(f"the run: not through after {PATIENCE} s")
        return client
    client.read(done.stdout)
    missing = [operation for operation in expected if operation not in client.found]
    if missing or (done.returncode != 0 and not client.problems):
        client.problems.append(
            f"the run: exit code {done.returncode}, not reported: {', '.join(missing) or 'nothing'}\n"
            f"{done.stdout[-2000:]}{done.stderr[-4000:]}"
        )
    return client


def table(found: list[Client]) -> str:
    """The table in Markdown, with its notes."""
    notes: list[str] = []
    heads = [f"{client.name} {client.version}" for client in found]
    lines = [f"| operation | {' | '.join(heads)} |", "|---" * (len(found) + 1) + "|"]
    for operation, words in OPERATIONS.items():
        cells = [client.cell(operation, notes) for client in found]
        if any(cells):
            lines.append(f"| {words} | {' | '.join(cells)} |")
    words = json.loads((HERE / "settings.json").read_text())
    lines += ["", *(f"[{at}] {words.get(note, note)}" + "  " for at, note in enumerate(notes, 1))]
    return "\n".join(line.rstrip() if not line.startswith("[") else line for line in lines) + "\n"


def compare(found: list[Client], write: bool) -> str | None:
    """Compares the table with the documentation's, or writes it there; what is wrong."""
    made = table(found)
    text = TABLE.read_text()
    if BEGIN not in text or END not in text:
        return f"{TABLE.name} has no place for the table"
    before, rest = text.split(BEGIN, 1)
    old, after = rest.split(END, 1)
    if write:
        TABLE.write_text(before + BEGIN + made + END + after)
        return None
    if without_curl(old) != without_curl(made):
        return f"the table of docs/clients.md is not what was found; `./tests/clients/run --write` writes it:\n{made}"
    return None


def without_curl(text: str) -> str:
    """The machine's own curl may have any version."""
    return "".join(part if not part.startswith(" curl ") else " curl " for part in text.split("|"))


def write_restart(work: Path, binaries: Path, directory: Path):
    """The command by which a client restarts its node."""
    network = ["python3", ROOT / "scripts" / "network.py", "--bin", binaries, "--dir", directory]
    command = shlex.join(str(part) for part in network)
    path = work / "restart"
    path.write_text(f"#!/bin/sh\nset -e\n{command} stop 1 >/dev/null\n{command} start 1 >/dev/null\n")
    path.chmod(0o755)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--base-port", type=int, default=22040)
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    names = arguments.only or list(clients(arguments.work))
    directory = arguments.work / "network"
    network = Network(arguments.bin, directory, arguments.base_port)
    write_restart(arguments.work, arguments.bin, directory)
    found, failed = [], 0
    try:
        network.make()
        network.start_all()
        for node in range(1, 5):
            network.wait_height(node, 4, 60)
        base = int(time.time()) % 1_000_000 * 1_000
        for at, name in enumerate(names):
            client = run(name, network, arguments.work, base + 10_000_000 * at)
            found.append(client)
            passed = sum(said["outcome"] != "failed" for said in client.found.values())
            print(f"{client.name} {client.version}: {passed} operations", flush=True)
            for problem in client.problems:
                print(f"FAILED: {client.name} {client.version}: {problem}", file=sys.stderr)
    except Failure as failure:
        print(f"FAILED: {failure}", file=sys.stderr)
        return 1
    finally:
        network.stop_all()
    passed = sum(s["outcome"] != "failed" for client in found for s in client.found.values())
    failed = sum(len(client.problems) for client in found)
    if not arguments.only and not failed and (problem := compare(found, arguments.write)):
        print(f"FAILED: {problem}", file=sys.stderr)
        failed += 1
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
