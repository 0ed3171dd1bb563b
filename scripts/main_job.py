"""Plays the main job on a network of four nodes and checks every step.

A hospital registers the bills of `samples/`; insurer A locks one, insurer B is
refused and told why and by whom; A reimburses; reversals in red; queries and
verification; a tampered original is detected. Then the longer story of
`story.py`. Then node 3 is killed under load, catches up, and all four agree. The
exit code is 0 only if all of it held.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import story as longer  # noqa: E402
from network import NODES, ROOT, Failure, Network  # noqa: E402

SAMPLES = ROOT / "samples"
LOAD_SECONDS = 20


class Story:
    """Runs steps, prints expectation and outcome, remembers failures."""

    def __init__(self, network: Network):
        self.network = network
        self.number = 0
        self.failed = 0
        self.newest_block = 1

    def step(self, title: str, expected: str, action):
        self.number += 1
        print(f"\n{self.number:2}. {title}\n    expected: {expected}", flush=True)
        began = time.monotonic()
        try:
            happened = action()
            verdict = "ok"
        except Failure as failure:
            happened = str(failure)
            verdict = "FAILED"
            self.failed += 1
        except (KeyError, TypeError) as surprise:
            happened = f"an answer lacks what was expected in it: {surprise!r}"
            verdict = "FAILED"
            self.failed += 1
        print(f"    happened: {happened}\n    {verdict} ({time.monotonic() - began:.1f} s)", flush=True)

    def billchain(self, *arguments, group: str = "bill", node: int = 1, actor: str | None = None):
        """A client command at a node; returns (exit code, JSON answer).

        What is final at one node reaches another one a moment later: the node
        is asked when it has every block that an answer named.
        """
        self.network.wait_height(node, self.newest_block, 30)
        command = [self.network.billchain, group, "--rpc", self.network.url(node), "--json"]
        if actor:
            command += ["--development-key", f"//{actor}"]
        if group == "bill":
            command += ["--references", self.network.asks()]
        result = subprocess.run(
            [*command, *map(str, arguments)], capture_output=True, text=True, timeout=60
        )
        try:
            answer = json.loads(result.stdout) if result.stdout.strip() else {}
        except json.JSONDecodeError as problem:
            raise Failure(f"`{arguments[0]}` printed no JSON: {result.stdout!r}") from problem
        if isinstance(answer, list):
            answer = {"items": answer}
        if isinstance(block := answer.get("block"), dict):
            self.newest_block = max(self.newest_block, block["number"])
        answer["stderr"] = result.stderr.strip()
        return result.returncode, answer

    def accepted(self, *arguments, **where) -> dict:
        code, answer = self.billchain(*arguments, **where)
        if code != 0:
            raise Failure(f"`{' '.join(map(str, arguments))}` was refused: {answer['stderr'] or answer}")
        return answer

    def refused(self, reason: str, *arguments, **where) -> dict:
        code, answer = self.billchain(*arguments, **where)
        if code == 0:
            raise Failure(f"`{' '.join(map(str, arguments))}` was accepted: {answer}")
        text = answer["stderr"] + json.dumps(answer.get("error", ""), ensure_ascii=False)
        if reason not in text:
            raise Failure(f"refused, but not with {reason}: {text}")
        return answer

    def admin(self, *arguments, **where) -> dict:
        """As `accepted`, of `billchain admin`."""
        return self.accepted(*arguments, group="admin", **where)

    def admin_refused(self, reason: str, *arguments, **where) -> dict:
        """As `refused`, of `billchain admin`."""
        return self.refused(reason, *arguments, group="admin", **where)

    def status(self, bill: str, expected: str, node: int = 1) -> dict:
        answer = self.accepted("query", *bill.split("-"), node=node)
        if answer["status"] != expected:
            raise Failure(f"{bill} is {answer['status']} at node {node}, not {expected}")
        return answer


def bill_of(xml: Path) -> tuple[str, str]:
    """`code-number` and check code of an original."""
    data = xml.read_bytes()
    text = data.decode("gbk" if b"GBK" in data[:100].upper() else "utf-8")
    field = lambda name: re.search(f"<{name}>([^<]*)</{name}>", text).group(1)  # noqa: E731
    return f"{field('EInvoiceCode')}-{field('EInvoiceNumber')}", field("RandomNumber")


def play(story: Story, work: Path):
    bills = {}
    originals = [
        ("outpatient", "outpatient.xml"),
        ("inpatient", "inpatient.xml"),
        ("2,000 lines", "inpatient-2000-lines.xml"),
        ("GBK-encoded outpatient", "outpatient-gbk.xml"),
    ]
    for position, (name, file) in enumerate(originals):
        bills[file], _ = bill_of(SAMPLES / file)

        def register(file=file, node=position % NODES + 1):
            answer = story.accepted("register", SAMPLES / file, node=node, actor="hospital")
            story.status(bills[file], "normal")
            return f"{bills[file]} in block {answer['block']['number']}, submitted at node {node}"

        story.step(f"The hospital registers the {name} bill", "registered, status normal", register)

    claimed = bills["inpatient.xml"]
    reversed_ = bills["outpatient.xml"]

    def lock():
        story.accepted("lock", claimed, "--claim-no", "A-2026-001", node=2, actor="insurer-a")
        holder = story.status(claimed, "locked", node=3)["lock"]
        return f"{claimed} locked by {holder['holder']} for claim {holder['claim_no']}"

    story.step("Insurer A locks the inpatient bill", "locked by insurer A", lock)

    def second_lock():
        answer = story.refused(
            "LockedByOther", "lock", claimed, "--claim-no", "B-77", node=4, actor="insurer-b"
        )
        reason = answer["error"]
        holder = reason.get("holder") or {}
        if "insurer-a" not in holder.get("did", "") or not holder.get("name"):
            raise Failure(f"the refusal does not name the holder: {reason}")
        return f"refused: {reason['name']}: {reason['docs']} Holder: {holder['name']} ({holder['did']})"

    story.step(
        "Insurer B tries to lock the same bill", "refused with the reason and the holder's name", second_lock
    )

    def reimburse():
        total = story.status(claimed, "locked")["total_fen"]
        amount = f"{total // 100}.{total % 100:02}"
        story.accepted("reimburse", claimed, "--amount", amount, actor="insurer-a")
        answer = story.status(claimed, "reimbursed", node=4)
        if answer["reimbursed_fen"] != total:
            raise Failure(f"reimbursed {answer['reimbursed_fen']} fen of {total}")
        return f"{amount} yuan reimbursed, status reimbursed"

    story.step("Insurer A reimburses it", "the whole total reimbursed", reimburse)

    def reverse_reimbursed():
        red = work / "red-of-reimbursed.xml"
        text = (SAMPLES / "outpatient-red.xml").read_text("utf-8")
        code, number = claimed.split("-")
        text = re.sub(r"(<RelatedInvoiceCode>)[^<]*", rf"\g<1>{code}", text)
        text = re.sub(r"(<RelatedInvoiceNumber>)[^<]*", rf"\g<1>{number}", text)
        red.write_text(text, "utf-8")
        answer = story.refused(
            "Transition.IllegalTransition", "red-reverse", claimed, "--red", red, "--reason", "test", actor="hospital"
        )
        story.status(claimed, "reimbursed")
        return f"refused: {answer['error']['name']}: {answer['error']['docs']}"

    story.step("The hospital tries to reverse the reimbursed bill in red", "refused", reverse_reimbursed)

    def reverse():
        story.accepted(
            "red-reverse", reversed_,
            "--red", SAMPLES / "outpatient-red.xml",
            "--balance", SAMPLES / "outpatient-balance.xml",
            "--reason", "partial refund",
            actor="hospital",
        )
        story.status(reversed_, "red_reversed", node=2)
        red, _ = bill_of(SAMPLES / "outpatient-red.xml")
        balance, _ = bill_of(SAMPLES / "outpatient-balance.xml")
        red_total = story.status(red, "normal")["total_fen"]
        story.status(balance, "normal")
        return f"{reversed_} reversed by {red} ({red_total} fen), balance bill {balance}"

    story.step(
        "The hospital reverses the outpatient bill with a red and a balance bill",
        "one transaction: red_reversed, red bill of minus the total, balance bill",
        reverse,
    )

    def query_all():
        files = [file for _, file in originals] + ["outpatient-red.xml", "outpatient-balance.xml"]
        for file in files:
            bill, check = bill_of(SAMPLES / file)
            for node in range(1, NODES + 1):
                story.accepted("query", *bill.split("-"), check, node=node)
            wrong = "zzzzzz" if check != "zzzzzz" else "yyyyyy"
            story.refused("not found", "query", *bill.split("-"), wrong)
        return f"{len(files)} bills found by their three codes at every node, none by a wrong check code"

    story.step("All bills are queried by their three codes", "found, at each node", query_all)

    def verify():
        files = [file for _, file in originals]
        for file in files:
            story.accepted("verify", SAMPLES / file)
        return f"{len(files)} originals match the SM3 on the chain"

    story.step("The originals are verified", "their SM3 matches", verify)

    def payers():
        number, stranger, opening = work / "number", work / "stranger", work / "opening"
        number.write_text("000000198803120011\n")
        stranger.write_text("00000019620718006X\n")
        found = story.accepted("payer-bills", "--number-file", number)
        keys = {f"{bill['code']}-{bill['number']}" for bill in found["bills"]}
        expected = {
            bill_of(SAMPLES / file)[0]
            for file in ("outpatient.xml", "outpatient-red.xml", "outpatient-balance.xml")
        }
        if keys != expected:
            raise Failure(f"her bills are {sorted(keys)}, expected {sorted(expected)}")
        story.accepted("prove-payer", "--number-file", number, "--out", opening)
        shown = ("--opening", opening)
        story.accepted("check-payer", reversed_, "--number-file", number, *shown)
        story.refused("PayerMismatch", "check-payer", claimed, "--number-file", number, *shown)
        story.refused("OpeningMismatch", "check-payer", reversed_, "--number-file", stranger, *shown)
        return f"{len(keys)} bills under {found['payer_ref']}; her opening holds for hers and nobody else's"

    story.step(
        "A patient's bills are found by her reference, and shown to be hers",
        "all of hers and no other, an opening that holds for her alone",
        payers,
    )

    def tampered():
        data = (SAMPLES / "inpatient.xml").read_bytes()
        changed = work / "tampered.xml"
        changed.write_bytes(data.replace("张".encode(), "章".encode(), 1) if "张".encode() in data else data + b" ")
        answer = story.refused("HashMismatch", "verify", changed)
        return f"detected: {answer['stderr'].splitlines()[-1]}"

    story.step("One character of an original is changed", "the change is detected", tampered)


def survive(story: Story, load_log: Path):
    """Kills node 3 under load and watches it come back."""
    network = story.network
    state = {}

    def kill():
        with open(load_log, "w") as log:
            state["load"] = subprocess.Popen(
                [
                    network.bench, "load", "--rpc", network.url(1), "--rpc", network.url(2),
                    "--rate", "100", "--duration", str(LOAD_SECONDS), "--json",
                ],
                stdout=log, stderr=subprocess.STDOUT,
            )
        time.sleep(3)
        network.kill(3)
        before = network.height(1)
        began = time.monotonic()
        network.wait_height(1, before + 3, 30)
        return f"heights went on from {before} to {network.height(1)} within {time.monotonic() - began:.1f} s"

    story.step("Node 3 is killed (SIGKILL) under load", "blocks go on", kill)

    def come_back():
        network.start(3)
        target = network.height(1)
        began = time.monotonic()
        network.wait_height(3, target, 60)
        return f"node 3 reached height {target} in {time.monotonic() - began:.1f} s"

    story.step("Node 3 is started again", "it catches up", come_back)

    def load_done():
        code = state["load"].wait(timeout=LOAD_SECONDS + 90)
        report = load_log.read_text()
        try:
            result = json.loads(report[report.index("{"):])
        except ValueError as problem:
            raise Failure(f"the load generator gave no result: {report[-500:]}") from problem
        if code != 0 or result["lost"] != 0:
            raise Failure(f"exit code {code}, lost {result['lost']}: {report[-500:]}")
        return f"{result['committed']} registrations committed, 0 lost"

    story.step("The load generator counts its transactions", "none lost", load_done)

    def agree():
        height = min(network.height(node) for node in range(1, NODES + 1))
        seen = [network.header_at(node, height) for node in range(1, NODES + 1)]
        if any(other != seen[0] for other in seen):
            raise Failure("the nodes disagree: " + json.dumps(seen))
        return f"height {height}: hash {seen[0]['hash']}, state root {seen[0]['state_root']}"

    story.step("All four nodes are asked for one height", "same block hash and state root", agree)


def main() -> int:
    parser = argparse.ArgumentParser(prog="run")
    parser.add_argument("--bin", type=Path, required=True)
    parser.add_argument("--once", action="store_true")
    parser.add_argument("--base-port", type=int)
    parser.add_argument("--dir", type=Path)
    arguments = parser.parse_args()
    directory = (arguments.dir or Path(tempfile.mkdtemp(prefix="billchain-"))).resolve()
    network = Network(arguments.bin, directory, arguments.base_port)
    story = Story(network)
    keep = False
    try:
        print(f"\nThe network lives in {directory}")

        def start():
            network.make()
            network.start_all()
            network.start_bureau()
            for node in range(1, NODES + 1):
                network.wait_height(node, 1, 60)
            return f"all four are up and past block 1; payer references at {network.bureau_url()}"

        story.step(
            "Four nodes and the bureau's service for payer references start", "blocks are decided", start
        )
        if story.failed:
            return 1
        with tempfile.TemporaryDirectory() as work:
            play(story, Path(work))
            spare = [bill_of(SAMPLES / file)[0] for file in ("outpatient-gbk.xml", "inpatient-2000-lines.xml")]
            longer.play(story, Path(work), *spare)
            survive(story, Path(work) / "load.log")
        if story.failed:
            print(f"\n{story.failed} of {story.number} steps FAILED")
            return 1
        print(f"\nAll {story.number} steps held.")
        if not arguments.once:
            keep = True
            print("\nThe network is up:")
            for node, place in enumerate(network.layout(), 1):
                print(
                    f"  node {node}: JSON-RPC {network.url(node)} (HTTP and WebSocket), "
                    f"metrics http://127.0.0.1:{place['metrics_port']}/metrics"
                )
            print(f"  payer references: {network.bureau_url()}, for --references {network.asks()}")
            print(f"Stop it with: ./scripts/devnet down --dir {directory}")
        return 0
    except (Failure, subprocess.TimeoutExpired, OSError) as problem:
        print(f"\nFAILED: {problem}", file=sys.stderr)
        return 1
    finally:
        if not keep:
            network.stop_all()


if __name__ == "__main__":
    sys.exit(main())
