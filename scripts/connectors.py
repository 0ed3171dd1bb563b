"""The cases of `scripts/connectors`. Each plays on a network of its own and judges by counting
both sides: entries on the chain, effects in the stand-ins."""

import argparse
import hashlib
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from connectors_brokers import kafka, webhooks  # noqa: E402
from connectors_kit import BILL_CHANGES, OF_BILLS, City, Failure, wait_for  # noqa: E402
from network import NODES, Network  # noqa: E402

BAD_DAY = {
    "slow": 50, "slow_ms": 300, "error": 80, "wrong": 80, "lost": 80, "duplicated": 100,
    "out_of_order": 80, "out_of_order_ms": 200,
}


class Case:
    """A network, a city, and what cases do with both."""

    def __init__(self, arguments, directory: Path, names, topics=None, compare: str = "", tend_ms=1_000, more=""):
        self.short, self.seed = arguments.short, arguments.seed
        self.random = random.Random(arguments.seed)
        self.network = Network(arguments.bin, directory / "net", arguments.base_port)
        self.network.make()
        self.directory = directory
        self.city = City(
            self.network, arguments.bin, directory / "city", arguments.base_port + 20, arguments.seed, names
        )
        self.city.start()
        self.city.configure(compare, tend_ms, more)
        self.network.start_all()
        for node in range(1, NODES + 1):
            self.network.wait_height(node, 2, 90)
        self.city.register(self.admin, self.public_key, topics)

    def close(self):
        self.city.stop()
        self.network.stop_all()

    def client(self, group: str, *arguments, node: int = 1, actor: str | None = None):
        command = [self.network.billchain, group, "--rpc", self.network.url(node), "--json"]
        if actor:
            command += ["--development-key", f"//{actor}"]
        result = subprocess.run([*command, *map(str, arguments)], capture_output=True, text=True, timeout=120)
        if result.returncode != 0:
            words = " ".join(map(str, arguments))
            raise Failure(f"`{words}` was refused: {result.stderr.strip()[-400:]} {result.stdout[-400:]}")
        return json.loads(result.stdout) if result.stdout.strip() else {}

    def admin(self, *arguments, **where):
        return self.client("admin", *arguments, **where)

    def public_key(self, seed: str) -> str:
        path = self.directory / f"{seed}.pem"
        result = subprocess.run(
            [self.network.billchain, "keys", "generate", "--development-seed", f"//{seed}", "--out", path],
            env={**os.environ, "BILLCHAIN_KEY_PASSWORD": "of a key that everybody has"},
            capture_output=True, text=True, timeout=60,
        )
        return re.search(r"public key: (\S+)", result.stdout).group(1)

    def load(self, *more, nodes=(1, 2)):
        """The load generator's own report, when it is done."""
        command = [self.network.bench, "load", "--json", "--seed", str(self.seed), "--reads-per-write", "0"]
        for node in nodes:
            command += ["--rpc", self.network.url(node)]
        log = open(self.directory / "load.log", "ab")
        return subprocess.Popen([*map(str, [*command, *more])], stdout=subprocess.PIPE, stderr=log, text=True)

    def finished(self, load, patience: float) -> dict:
        out, _ = load.communicate(timeout=patience)
        if load.returncode != 0:
            raise Failure(f"the load ended with {load.returncode}: {out[-400:]}")
        return json.loads(out[out.index("{"):])


def chaos(arguments, directory: Path):
    """Every connector under every fault, and things die at random."""
    names = ["old-system", "evidence", "signing", "insurer-a", "platform"]
    case = Case(arguments, directory, names)
    try:
        seconds = 20 if case.short else 180
        stop = threading.Event()
        for name in names:
            case.city.stand_ins[name].faults(**BAD_DAY)
        killer = threading.Thread(target=kill_at_random, args=(case, names, stop, 3 if case.short else 2))
        load = case.load("--mix", "--rate", 60 if case.short else 150, "--duration", seconds, "--issuers", 8)
        grants = threading.Thread(target=grant_at_random, args=(case, stop, 4 if case.short else 40))
        killer.start()
        grants.start()
        case.finished(load, seconds + 180)
        grants.join(180)
        stop.set()
        killer.join(120)
        for node in range(1, NODES + 1):
            case.network.start(node)
        for name in names:
            case.city.stand_ins[name].start()
            case.city.stand_ins[name].faults()
        for node in range(1, NODES + 1):
            case.network.wait_height(node, case.network.height(1), 90)
        case.city.wait_drained(300)
        for name in names:
            yield case.city.judge(name)
    finally:
        stop.set()
        case.close()


def kill_at_random(case: Case, names, stop: threading.Event, pause: float):
    """A node, a worker's process, a stand-in, or its certificate and line: one after another,
    never two nodes at once."""
    away = None
    while not stop.wait(pause * case.random.uniform(0.5, 1.5)):
        try:
            match case.random.choice(["node", "worker", "worker", "stand-in", "line", "certificate"]):
                case "node":
                    # The first two take the load, which waits for them.
                    away = case.random.choice([3, 4])
                    case.network.kill(away)
                    case.network.start(away)
                case "worker":
                    name = case.random.choice(names)
                    worker = case.city.view(name, case.random.choice([1, 2]))["worker"]
                    if worker and worker["pid"]:
                        os.kill(worker["pid"], 9)
                case "stand-in":
                    stand_in = case.city.stand_ins[case.random.choice(names)]
                    stand_in.kill()
                    stand_in.start()
                    stand_in.faults(**BAD_DAY)
                case fault:
                    stand_in = case.city.stand_ins[case.random.choice(names)]
                    wrong = {"cut": True} if fault == "line" else {"certificate_expired": True}
                    stand_in.faults(**BAD_DAY, **wrong)
                    stop.wait(1)
                    stand_in.faults(**BAD_DAY)
        except (OSError, Failure) as problem:
            print(f"    (the killer: {problem})", flush=True)


def grant_at_random(case: Case, stop: threading.Event, grants: int):
    """A patient grants an insurer bills, and revokes half of it."""
    case.admin(
        "participants", "register", "did:bill:patient", "--name", "p-7c1f", "--kind", "person",
        "--public-key", case.public_key("patient"), "--development-council",
    )
    for number in range(grants):
        if stop.is_set():
            return
        grant = "0x" + hashlib.sha256(f"{case.seed} {number}".encode()).hexdigest()
        case.admin(
            "grants", "register", "--credential-hash", grant, "--subject", "did:bill:insurer-a",
            "--bill", f"31060199-{number + 1:010}", "--scene", "3", actor="patient",
        )
        if number % 2:
            case.admin("grants", "revoke", grant, "--reason", "撤回授权", actor="patient")


def takeover(arguments, directory: Path):
    """The node whose workers have the leases is killed under load."""
    case = Case(arguments, directory, ["old-system", "platform"])
    try:
        load = case.load("--mix", "--rate", 60, "--duration", 40 if case.short else 60, nodes=(1, 2))
        holder = wait_for("somebody holds the lease", 60, lambda: case.city.holder("old-system"))
        # The load's own nodes stay: the lease moves first if it is theirs.
        for _ in range(8):
            if holder in (3, 4):
                break
            worker = case.city.view("old-system", holder)["worker"]
            os.kill(worker["pid"], 19)
            holder = wait_for(
                "the lease moves on", 60, lambda was=holder: (h := case.city.holder("old-system")) != was and h
            )
            os.kill(worker["pid"], 9)
        else:
            raise Failure("the lease never came to node 3 or 4")
        effects = len(case.city.stand_ins["old-system"].effects())
        case.network.kill(holder)
        began = time.monotonic()
        taken = wait_for(
            "another worker takes over", 30, lambda: (h := case.city.holder("old-system")) not in (None, holder) and h
        )
        wait_for(
            "the first effect after it", 30,
            lambda: len(case.city.stand_ins["old-system"].effects()) > effects,
        )
        took = time.monotonic() - began
        if took > 10:
            raise Failure(f"the work was taken over after {took:.1f} s, expected 10 at most")
        yield f"node {holder} was killed, node {taken}'s worker told the next entry {took:.1f} s later"
        case.finished(load, 240)
        case.network.start(holder)
        case.network.wait_height(holder, case.network.height(1), 90)
        case.city.wait_drained(120)
        for name in case.city.stand_ins:
            yield case.city.judge(name)
            counts = case.city.stand_ins[name].counts()
            yield f"{name}: four nodes' workers sent {counts['requests']} requests for {counts['effects']} effects"
    finally:
        case.close()


def backlog(arguments, directory: Path):
    """Entries wait while the other side is away; then they drain."""
    topics = {"old-system": "bill_registered," + BILL_CHANGES}
    case = Case(arguments, directory, ["old-system"], topics)
    try:
        count = 3_000 if case.short else 100_000
        stand_in = case.city.stand_ins["old-system"]
        stand_in.faults(cut=True)
        bills = case.load("--batch", 250, "--rate", 8, "--duration", max(2, count // 2_000), nodes=(1, 2, 3, 4))
        case.finished(bills, count / 200 + 300)
        waiting = wait_for("the backlog is seen", 30, lambda: case.city.tally("old-system")["waiting"])
        # Block times of the same background load, first while the backlog stands.
        probe = ("--rate", 40, "--duration", 20 if case.short else 60)
        quiet = case.finished(case.load(*probe), 240)["block_interval_ms"]["p99"]
        waiting = case.city.tally("old-system")["waiting"]
        load = case.load(*probe)
        counted = stand_in.counts()["effects"]
        stand_in.faults()
        began = time.monotonic()
        wait_for("a tenth is left", 1_200, lambda: case.city.tally("old-system")["waiting"] < waiting / 10)
        took = time.monotonic() - began
        done = stand_in.counts()["effects"] - counted
        busy = case.finished(load, 300)["block_interval_ms"]["p99"]
        case.city.wait_drained(600)
        yield case.city.judge("old-system")
        rate = done / took
        yield (
            f"{done} of {waiting} entries drained in {took:.0f} s: {rate:.0f} a second; block times p99 "
            f"{quiet:.0f} ms while it stood and {busy:.0f} ms while it drained"
        )
        if not case.short and rate < 500:
            raise Failure(f"{rate:.0f} entries a second, expected 500 at least")
        if not case.short and busy > 1.1 * quiet:
            raise Failure(f"block times: p99 {busy:.0f} ms, expected {1.1 * quiet:.0f} ms at most")
    finally:
        case.close()


def cost(arguments, directory: Path):
    """What entries cost a bill: the same registrations, heard of by nobody, by three connectors,
    and on a chain without a connector."""
    seconds, batch = 8 if arguments.short else 40, 100
    spent = {}
    for told, names, topics in (
        ("no connector", [], None),
        ("three, of other facts", list(OF_BILLS), None),
        ("three", list(OF_BILLS), {name: "bill_registered" for name in OF_BILLS}),
    ):
        case = Case(arguments, directory / told.replace(" ", "-"), names, topics)
        try:
            nodes = []
            for node in range(1, NODES + 1):
                home = case.network.directory / f"node-{node}"
                nodes += ["--node", f"node-{node}={case.network.pid(node)}:{home}"]
            load = case.load("--batch", batch, "--rate", 4, "--duration", seconds, *nodes, nodes=(1, 2, 3, 4))
            report = case.finished(load, 300)
            case.city.wait_drained(600)
            costs = report["costs"]
            cpu = sum(costs["cpu_us_per_transaction"]) / NODES / batch
            disk = sum(costs["disk_bytes_per_bill"]) / NODES
            spent[told] = cpu
            yield (
                f"{told}: {cpu:.0f} µs of a node's processor and {disk:.0f} bytes of its disk a bill, block interval "
                f"p50 {report['block_interval_ms']['p50']:.0f} ms"
            )
            heard = sum(case.city.tally(name)["last"] for name in names)
            if not topics and heard:
                raise Failure(f"nobody is to be told, and there are {heard} entries")
            if topics:
                for name in OF_BILLS:
                    yield case.city.judge(name)
        finally:
            case.close()
    entry = (spent["three"] - spent["three, of other facts"]) / 3
    yield f"an entry, told and acknowledged: {entry:.0f} µs of a node's processor"


def twox128(data: bytes) -> bytes:
    return b"".join(xxh64(data, seed).to_bytes(8, "little") for seed in (0, 1))


def xxh64(data: bytes, seed: int) -> int:
    """XXH64 of fewer than 32 bytes (the public description by Y. Collet)."""
    mask, primes = (1 << 64) - 1, (
        11400714785074694791, 14029467366897019727, 1609587929392839161, 9650029242287828579, 2870177450012600261,
    )
    p1, p2, p3, p4, p5 = primes
    rot = lambda x, n: ((x << n) | (x >> (64 - n))) & mask  # noqa: E731
    acc, at = (seed + p5 + len(data)) & mask, 0
    while at + 8 <= len(data):
        lane = int.from_bytes(data[at:at + 8], "little")
        acc ^= rot(lane * p2 & mask, 31) * p1 & mask
        acc, at = (rot(acc, 27) * p1 + p4) & mask, at + 8
    if at + 4 <= len(data):
        acc ^= int.from_bytes(data[at:at + 4], "little") * p1 & mask
        acc, at = (rot(acc, 23) * p2 + p3) & mask, at + 4
    for byte in data[at:]:
        acc ^= byte * p5 & mask
        acc = rot(acc, 11) * p1 & mask
    for shift, prime in ((33, p2), (29, p3), (32, 1)):
        acc = (acc ^ (acc >> shift)) * prime & mask
    return acc


def million(arguments, directory: Path):
    """Both sides are compared; the worker dies in the middle; every difference is repaired."""
    compare = "compare = { at_minute = 0, every_s = 60, grace_s = 0 }\n"
    case = Case(arguments, directory, ["old-system"], compare=compare, tend_ms=100)
    try:
        stand_in = case.city.stand_ins["old-system"]
        stand_in.faults(cut=True)
        count = 5_000 if case.short else 1_000_000
        load = case.load("--batch", 500, "--rate", 8, "--duration", max(2, count // 4_000), nodes=(1, 2, 3, 4))
        case.finished(load, count / 500 + 600)
        total, wrong = copy_bills(case, stand_in)
        stand_in.faults()
        began = time.monotonic()
        wait_for("the comparison is on its way", 120, lambda: stand_in.counts()["requests"] > (3 if case.short else 200))
        holder = wait_for("somebody holds the lease", 60, lambda: case.city.holder("old-system"))
        worker = case.city.view("old-system", holder)["worker"]
        os.kill(worker["pid"], 9)
        wait_for(
            "every difference is repaired", 3_600,
            lambda: all(stand_in.look(f"/bills/{key}")["status"] == "normal" for key in wrong[::max(1, len(wrong) // 50)]),
        )
        took = time.monotonic() - began
        case.city.wait_drained(300)
        after = stand_in.look("/bills")
        if after["statuses"] != {"normal": total}:
            raise Failure(f"the old system has {after}, expected {total} bills that are normal")
        told = case.city.tally("old-system")["last"]
        if told < len(wrong):
            raise Failure(f"{told} entries for {len(wrong)} repairs: a repair was no act on the chain")
        yield (
            f"{total} bills compared in {took:.0f} s, with a worker killed in the middle; {len(wrong)} differences, "
            f"{told} entries of repairs"
        )
    finally:
        case.close()


def copy_bills(case: Case, stand_in):
    """Gives the old system the chain's bills, one in 1,009 of them wrong or missing."""
    total, wrong, start = 0, [], None
    bills = "0x" + (twox128(b"BillRegister") + twox128(b"Bills")).hex()
    while keys := case.network.rpc(1, "state_getKeysPaged", bills, 1000, start or bills):
        start, page = keys[-1], []
        for key in keys:
            text = bytes.fromhex(key[66:]).decode()
            code, number = text[:8], text[8:]
            total += 1
            if total % 1009 == 0:
                wrong.append(f"{code}-{number}")
                if total % 2:
                    continue
            page.append({
                "bill_code": code, "bill_number": number, "check_code": "", "version": 1,
                "status": "locked" if total % 1009 == 0 else "normal", "changed": 1,
            })
        stand_in.look("/bills", "POST", page)
    return total, wrong


CASES = {
    "chaos": chaos, "takeover": takeover, "backlog": backlog, "cost": cost, "million": million,
    "kafka": kafka, "webhooks": webhooks,
}
SHORT = ("chaos", "kafka", "webhooks")


def main() -> int:
    parser = argparse.ArgumentParser(prog="./scripts/connectors")
    parser.add_argument("--bin", type=Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("cases", nargs="*", choices=[*CASES, []], metavar="CASE")
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--base-port", type=int, default=22200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="keep what was written in this directory")
    arguments = parser.parse_intermixed_args()
    cases = arguments.cases or (SHORT if arguments.short else list(CASES))
    failed = 0
    print(f"seed {arguments.seed}")
    with tempfile.TemporaryDirectory(prefix="billchain-connectors-") as temporary:
        for name in cases:
            began = time.monotonic()
            print(f"\n{name}: {CASES[name].__doc__.strip()}", flush=True)
            directory = (arguments.keep or Path(temporary)).resolve() / name
            directory.mkdir(parents=True, exist_ok=True)
            try:
                for line in CASES[name](arguments, directory):
                    print(f"    {line}", flush=True)
                verdict = "held"
            except (Failure, OSError, subprocess.SubprocessError, KeyError, ValueError) as problem:
                failed += 1
                verdict = f"FAILED: {problem!r}"
            print(f"    {verdict} ({time.monotonic() - began:.0f} s)", flush=True)
    print(f"\n{len(cases) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
