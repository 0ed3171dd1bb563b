"""The explorer beside four nodes that are under load: started, asked, held against the chain, fuzzed,
and played in a browser. Prints how many checks passed."""

import argparse
import csv
import io
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "scripts"), str(Path(__file__).resolve().parent)]
from client import Client, Refused  # noqa: E402
from explorer import Explorer  # noqa: E402
from main_job import SAMPLES, Story, bill_of, play  # noqa: E402
from network import NODES, Failure, Network  # noqa: E402

LOAD_SECONDS = 15
PASSWORD = "for tests alone"
# Paths that are not fuzzed: they end the session that asks, or do not end.
LEFT_OUT = ["/session/logout", "/session/password/change", "/events", "/users", "/users/{name}", "/session/oidc/callback"]


class Checks:
    def __init__(self):
        self.passed = 0
        self.failed = 0

    def check(self, told: str, is_so, found=None):
        if is_so:
            self.passed += 1
            print(f"  ok    {told}", flush=True)
        else:
            self.failed += 1
            print(f"  FAILED {told}: {found!r}", flush=True)

    def refused(self, told: str, code: str, action):
        try:
            found = action()
        except Refused as refusal:
            self.check(told, refusal.code == code, str(refusal))
        else:
            self.check(told, False, found)


def load(network: Network):
    """The load model's mix, so that there is something of everything."""
    command = [
        network.bench, "load", "--mix", "--rate", "60", "--duration", str(LOAD_SECONDS), "--json",
        *(part for node in range(1, NODES + 1) for part in ("--rpc", network.url(node))),
    ]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300)
    if result.returncode != 0:
        raise Failure(f"the load generator failed: {result.stderr[-2000:]}")
    return json.loads(result.stdout[result.stdout.index("{"):])


def ledger(checks: Checks, auditor: Client, explorer: Explorer, loaded: dict):
    """What the explorer says, against itself and against the nodes."""
    network = explorer.network
    status = auditor.get("/status")
    checks.check("no gap, no liar, no problem", not (status["gaps"] or status["liars"] or status["problem"]), status)
    rows = list(auditor.all("/bills"))
    checks.check("all bills of the load are listed", len(rows) >= loaded["committed"] // 2, (len(rows), loaded["committed"]))
    checks.check("each bill once", len({(row["code"], row["number"]) for row in rows}) == len(rows), len(rows))
    blocks = list(auditor.all("/blocks"))
    numbers = sorted(row["number"] for row in blocks)
    checks.check("no block is missing", numbers == list(range(numbers[0], numbers[-1] + 1)), numbers[:5])
    row = next(row for row in rows if row["status"] in ("locked", "reimbursed"))
    chain = network.rpc(1, "bill_get", row["code"], row["number"])
    same = [(field, row[field], chain[field]) for field in ("status", "version", "total_fen", "reimbursed_fen")]
    checks.check("a bill is as the node has it", all(one == other for _, one, other in same), same)
    life = auditor.get(f"/bills/{row['code']}-{row['number']}")
    history = network.rpc(1, "bill_history", row["code"], row["number"])
    versions = [version["hash"] for version in life["versions"]]
    checks.check("its versions are the node's", versions in ([one["hash"] for one in history], [one["hash"] for one in reversed(history)]), (versions, history))
    issued = auditor.get("/statistics?by=status&measure=issued")
    checks.check("statistics count what is listed", issued["total"]["count"] >= len(rows), (issued["total"], len(rows)))
    by_issuer = auditor.get("/statistics?by=issuer&measure=issued")
    sums = (sum(row["count"] for row in by_issuer["rows"]), by_issuer["total"]["count"])
    checks.check("parts sum up to the total", sums[0] == sums[1], sums)


def certificates(checks: Checks, auditor: Client, explorer: Explorer, claimed: str, work: Path):
    network = explorer.network
    genesis = auditor.get("/status")["genesis"]
    for ending in ("", ".pdf"):
        file = work / f"certificate{ending or '.bcpf'}"
        file.write_bytes(auditor.bytes(f"/bills/{claimed}/certificate{ending}"))
        judged = subprocess.run([network.billchain, "verify", file, "--genesis", genesis], capture_output=True, text=True)
        checks.check(f"the certificate{ending} proves the bill", judged.returncode == 0, judged.stderr or judged.stdout)
    absent = work / "absent.bcpf"
    absent.write_bytes(auditor.bytes("/bills/31060199-9999999999/certificate"))
    judged = subprocess.run([network.billchain, "verify", absent, "--genesis", genesis, "--json"], capture_output=True, text=True)
    checks.check("absence is proved", judged.returncode == 0 and "absent" in judged.stdout.lower(), judged.stdout + judged.stderr)


def roles(checks: Checks, explorer: Explorer, claimed: str, check_code: str, work: Path):
    """The public, a participant, and what they may not see."""
    public = Client(explorer.address)
    code, number = claimed.split("-")
    verdict = public.post("/verify", {"code": code, "number": number, "check_code": check_code})
    checks.check("the public has a verdict by three codes", verdict["verdict"] == "used", verdict)
    checks.check("and nothing of the payer or the issuer", not verdict["bill"]["payer_ref"] and not verdict["bill"]["issuer"], verdict)
    wrong = "zzzzzz" if check_code != "zzzzzz" else "yyyyyy"
    verdict = public.post("/verify", {"code": code, "number": number, "check_code": wrong})
    checks.check("a wrong check code finds nothing", verdict["verdict"] == "not_found" and verdict["bill"] is None, verdict)
    checks.refused("the public sees no life line", "login_required", lambda: public.get(f"/bills/{claimed}"))
    checks.check("the public may have the certificate of its own paper", public.bytes(f"/bills/{claimed}/certificate?check_code={check_code}"))
    hospital = by_key(explorer, "hospital", work)
    checks.check("a participant signs in by its key", hospital.get("/session")["user"]["did"] == "did:bill:hospital")
    life = hospital.get(f"/bills/{claimed}")
    checks.check("the issuer sees its bill with the payer's reference", life["bill"]["payer_ref"], life["bill"])
    insurer = by_key(explorer, "insurer-b", work)
    checks.refused("an insurer that never held it does not", "not_found", lambda: insurer.get(f"/bills/{claimed}"))
    checks.refused("nor finds it", "not_found", lambda: insurer.get(f"/bills/{claimed}/certificate"))
    mine = list(hospital.all("/bills"))
    checks.check("its list is its own", mine and all(row["issuer"] == "did:bill:hospital" or row.get("holder") for row in mine), mine[:2])
    entries = hospital.get("/access-log")["items"]
    checks.check("the issuer sees who looked", any(entry["action"] == "verify" for entry in entries), entries[:3])


def by_key(explorer: Explorer, name: str, work: Path) -> Client:
    """A participant that signs in with its key file."""
    key = key_file(explorer.network, name, work)
    client = Client(explorer.address)
    asked = client.post("/session/challenge", {"did": f"did:bill:{name}"})
    signed = explorer.run(
        "sign-challenge", "--key", str(key), "--password-file", str(work / "password"), "--message", asked["message"]
    )
    if signed.returncode != 0:
        raise Failure(f"`billchain-explorer sign-challenge` failed: {signed.stderr}")
    answer = client.post("/session/sm2", {"id": asked["id"], **json.loads(signed.stdout)})
    client.csrf = answer["csrf"]
    return client


def key_file(network: Network, name: str, work: Path) -> Path:
    """Key file of a participant of the development chain."""
    key = work / f"{name}.pem"
    if not key.exists():
        (work / "password").write_text(PASSWORD)
        subprocess.run(
            [network.billchain, "keys", "generate", "--out", key, "--password-file", work / "password", "--development-seed", f"//{name}"],
            check=True, capture_output=True,
        )
    return key


def exports(checks: Checks, auditor: Client):
    total = sum(1 for _ in auditor.all("/bills"))
    for form in ("csv", "xlsx"):
        job = auditor.post("/exports", {"what": "bills", "format": form, "query": {}})
        deadline = time.monotonic() + 60
        while job["state"] == "running" and time.monotonic() < deadline:
            job = auditor.get(f"/exports/{job['id']}")
        checks.check(f"an export to {form} is done", job["state"] == "done" and job["rows"] >= total, job)
        data = auditor.bytes(job["url"].removeprefix("/api/v1"))
        if form == "csv":
            lines = list(csv.reader(io.StringIO(data.decode("utf-8-sig"))))
            checks.check("it has a line a bill", len(lines) == job["rows"] + 1, len(lines))
        else:
            names = zipfile.ZipFile(io.BytesIO(data)).namelist()
            checks.check("it is a workbook", "xl/workbook.xml" in names, names)
    month = time.strftime("%Y%m")
    checks.check("the month's report is a PDF", auditor.bytes(f"/reports/month.pdf?month={month}").startswith(b"%PDF"))


def watched(checks: Checks, auditor: Client, explorer: Explorer):
    with urllib.request.urlopen(explorer.address + "/health", timeout=10) as answer:
        checks.check("all is well", json.load(answer)["healthy"])
        checks.check("answers say how far the index is", int(answer.headers["x-explorer-height"]) > 0, dict(answer.headers))
    with urllib.request.urlopen(f"http://127.0.0.1:{explorer.port + 1}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    checks.check("metrics are text that ends", text.endswith("# EOF\n") and "billchain_explorer_answers" in text, text[-300:])
    with urllib.request.urlopen(explorer.address + "/api/v1/events", timeout=30) as line:
        told = b""
        while b"event: block" not in told:
            told += line.readline()
    checks.check("a new block is told as it comes", True)
    operations = auditor.get("/operations")
    checks.check("all nodes are seen", [node["reachable"] for node in operations["nodes"]] == [True] * NODES, operations)
    explorer.network.stop(4)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        nodes = auditor.get("/operations")["nodes"]
        if not nodes[3]["reachable"]:
            break
    checks.check("a node that is down is seen", not nodes[3]["reachable"] and nodes[3]["problem"], nodes)
    explorer.wait(explorer.network.height(1) + 2)
    checks.check("and the index goes on", True)
    explorer.network.start(4)
    checks.check("the access log is whole", auditor.get("/access-log/check")["intact"])


def fuzz(checks: Checks, auditor: Client, explorer: Explorer):
    """The interface, from its own description."""
    tool = Path(sys.executable).parent / "schemathesis"
    command = [
        tool, "run", f"{explorer.address}/api/v1/openapi.json", "--url", f"{explorer.address}/api/v1",
        "-H", f"cookie: {auditor.cookie()}", "-H", f"x-csrf-token: {auditor.csrf}",
        "--checks", "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,negative_data_rejection",
        "--phases", "examples,coverage,fuzzing", "--max-examples", "30", "--seed", "12", "--no-color", "--continue-on-failure",
        *(part for path in LEFT_OUT for part in ("--exclude-path", path)),
    ]
    with tempfile.TemporaryDirectory() as where:
        result = subprocess.run(command, capture_output=True, text=True, timeout=900, cwd=where)
    checks.check("schemathesis finds nothing", result.returncode == 0, result.stdout[-6000:] + result.stderr[-2000:])


def browser(checks: Checks, explorer: Explorer, user: dict, work: Path):
    """The page's own tests, against this explorer."""
    environment = {
        **os.environ, "EXPLORER": explorer.address,
        "EXPLORER_USER": user["name"], "EXPLORER_PASSWORD": user["password"], "EXPLORER_TOTP_SECRET": user["totp_secret"],
        "EXPLORER_DID": "did:bill:hospital", "EXPLORER_KEY": str(key_file(explorer.network, "hospital", work)), "EXPLORER_KEY_PASSWORD": PASSWORD,
    }
    code = subprocess.run([ROOT / "explorer" / "web" / "test"], env=environment).returncode
    checks.check("the page's tests", code == 0, code)


def indexed_again(checks: Checks, explorer: Explorer):
    explorer.stop()
    counted = explorer.run("verify")
    checks.check("billchain-explorer verify: the index is what the chain proves", counted.returncode == 0, counted.stdout + counted.stderr)
    again = explorer.run("rebuild", "--yes")
    checks.check("billchain-explorer rebuild", again.returncode == 0, again.stdout + again.stderr)
    counted = explorer.run("verify")
    checks.check("and it is the same", counted.returncode == 0, counted.stdout + counted.stderr)


def main() -> int:
    parser = argparse.ArgumentParser(prog="./tests/explorer/run")
    parser.add_argument("--bin", type=Path, required=True)
    parser.add_argument("--dir", type=Path, required=True)
    parser.add_argument("--base-port", type=int, required=True)
    parser.add_argument("--browser", action="store_true")
    arguments = parser.parse_args()
    network = Network(arguments.bin, arguments.dir, arguments.base_port)
    explorer = Explorer(network, arguments.base_port)
    checks = Checks()
    try:
        network.make()
        network.start_all()
        for node in range(1, NODES + 1):
            network.wait_height(node, 1, 60)
        config = network.directory / "explorer.toml"
        config.write_text("[limits]\nsession_rate = 5000\naddress_rate = 5000\n")
        explorer.start("--config", str(config))
        with tempfile.TemporaryDirectory() as folder:
            work = Path(folder)
            play(Story(network), work)
            loaded = load(network)
            explorer.wait(network.height(1))
            added = explorer.run("user", "add", "auditor", "--role", "auditor", "--json")
            if added.returncode != 0:
                raise Failure(f"`billchain-explorer user add` failed: {added.stderr}")
            user = json.loads(added.stdout)
            claimed, check_code = bill_of(SAMPLES / "inpatient.xml")
            auditor = Client(explorer.address)
            auditor.login(user)
            ledger(checks, auditor, explorer, loaded)
            certificates(checks, auditor, explorer, claimed, work)
            roles(checks, explorer, claimed, check_code, work)
            exports(checks, auditor)
            watched(checks, auditor, explorer)
            fuzz(checks, auditor, explorer)
            if arguments.browser:
                browser(checks, explorer, explorer_user(explorer), work)
            indexed_again(checks, explorer)
    except (Failure, Refused, subprocess.SubprocessError, OSError) as problem:
        print(f"FAILED: {problem!r}", file=sys.stderr)
        checks.failed += 1
    finally:
        network.stop_all()
    print(f"{checks.passed} passed, {checks.failed} failed")
    return 0 if checks.failed == 0 and checks.passed > 0 else 1


def explorer_user(explorer: Explorer) -> dict:
    """Somebody else for the browser: a code is taken once."""
    added = explorer.run("user", "add", "browser", "--role", "administrator", "--json")
    return json.loads(added.stdout)


if __name__ == "__main__":
    sys.exit(main())
