"""The part of the story in which the city's systems hear of what was decided.

The old bill system and the evidence chain are stand-ins, programs of their own. After the
reimbursement the first shows the bill as used, the second holds its hash, and the chain says who
was told and what was answered. Then the line to the old system is cut, what is decided waits, and
when the line is back it drains.
"""

import socket
import tempfile
from pathlib import Path

from connectors_kit import City, Failure, wait_for
from story import public_key

NAMES = ("old-system", "evidence")


def free_ports(count: int) -> int:
    """The first of `count` ports in a row that nobody has now."""
    for _ in range(50):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            first = probe.getsockname()[1]
        if first + count < 65_536 and all(is_free(first + at) for at in range(count)):
            return first
    raise Failure(f"no {count} free ports in a row")


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def make(network, bin_: Path) -> City:
    """The stand-ins run and the nodes' configurations name their workers: before nodes start."""
    work = network.directory / "city"
    city = City(network, bin_, work, free_ports(2 * len(NAMES)), 1, NAMES)
    city.start()
    city.configure()
    return city


def register(story, city: City):
    def connectors():
        with tempfile.TemporaryDirectory() as work:
            city.register(story.admin, lambda seed: public_key(story, Path(work), seed))
        names = [f"{view['endpoint']} ({view['format']})" for view in city.status()]
        return f"four operators' workers may acknowledge for {', '.join(names)}"

    story.step(
        "The council registers connectors to the old bill system and the evidence chain",
        "two connectors, by motions", connectors,
    )


def told(story, city: City, bill: str):
    old, evidence = (city.stand_ins[name] for name in NAMES)
    code, number = bill.split("-")

    def used():
        city.wait_drained(60)
        shown = old.look(f"/bills/{bill}")
        if shown["status"] != "reimbursed":
            raise Failure(f"the old system shows it as {shown['status']}")
        return f"version {shown['version']} of {bill} is {shown['status']}, {shown['reimbursed_fen']} fen, there too"

    story.step("The old bill system's stand-in is asked for the reimbursed bill", "shown as used", used)

    def hashed():
        newest = story.accepted("history", bill)["items"][-1]
        item = evidence.look(f"/digests/{newest['hash'].removeprefix('0x')}")
        return f"its version {newest['version']} with hash {newest['hash']} is there as {item['request_id'][:16]}…"

    story.step("The evidence chain's stand-in is asked for the bill's hash", "it holds it", hashed)

    def acknowledged():
        entries = story.admin("connectors", "bill", code, number)["items"]
        newest = max(entry["version"] for entry in entries)
        answers = {entry["connector"]: entry for entry in entries if entry["version"] == newest}
        if len(answers) != len(NAMES):
            raise Failure(f"expected both connectors, found {answers}")
        words = []
        for name in NAMES:
            entry = answers[city.numbers[name]]
            if entry["status"] != "acknowledged" or not entry["answer"]:
                raise Failure(f"{name}: {entry}")
            words.append(f"{name} by {entry['by']} in block {entry['ended']['block']}, answer {entry['answer'][:18]}…")
        return f"version {newest} was acknowledged: {'; '.join(words)}"

    story.step("The chain is asked who was told of it", "both acknowledgements", acknowledged)


def cut(story, city: City, bill: str):
    old = city.stand_ins["old-system"]

    def waits():
        old.faults(cut=True)
        story.accepted("lock", bill, "--claim-no", "A-2026-900", actor="insurer-a")
        story.accepted("unlock", bill, "--reason", "材料不全", actor="insurer-a")
        tally = wait_for("the backlog is seen", 30, lambda: (t := city.tally("old-system"))["waiting"] >= 2 and t)
        shown = old.look("/bills")
        return f"{tally['waiting']} entries wait, the oldest of {city.view('old-system')['oldest']}; the old system has {shown['bills']} bills"

    story.step(
        "The line to the old system is cut; insurer A locks a bill and lets it go", "the backlog is seen", waits
    )

    def drains():
        old.faults()
        city.wait_drained(90)
        shown = old.look(f"/bills/{bill}")
        if shown["status"] != "normal":
            raise Failure(f"the old system shows it as {shown['status']}")
        return "; ".join(city.judge(name) for name in NAMES)

    story.step(
        "The line is back", "it drains; each entry has one effect and one acknowledgement, in order", drains
    )
