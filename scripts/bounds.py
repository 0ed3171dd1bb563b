"""Holds four nodes to their bounds under everything hostile at once.

The attackers are processes of their own and less urgent than the nodes; the
honest client is one, too, so that its clock is not theirs. Prints one line a
figure; the exit status says whether all bounds were kept.
"""

import argparse
import http.client
import json
import multiprocessing
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from network import NODES, Failure, Network  # noqa: E402

ALL = list(range(1, NODES + 1))
ATTACKS = ("flood", "batches", "silent", "dear")
# WebSocket clients that never read, and HTTP clients with dear questions, of
# each node.
SILENT = 32
DEAR = 8
# The honest client's reads of each node in a second, and how often memory is
# sampled.
READS = 10
SAMPLES = 4
# Registrations before the mix. Of its throughput without dear questions, at least;
# of the length of a vote's step without them, at most, and so many milliseconds.
PRELOAD = 5_000
MIX_THROUGHPUT = 0.90
MIX_STEP = 3.0
MIX_STEP_MS = 10.0


def request(method, *params):
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()


def dear_questions(network: Network) -> list[bytes]:
    """The dearest that each kind of method takes."""
    keys = network.rpc(1, "state_getKeysPaged", "0x", 1000)
    zeros = "0x" + "00" * (512 << 10)
    remark = {"pallet": "System", "call": "remark", "args": {"remark": "0x" + "00" * 500_000}}
    pairs = [["31060125", f"{number:010}"] for number in range(500)]
    return [
        request("state_queryStorageAt", keys),
        request("state_getMetadata"),
        request("state_call", "Metadata_metadata", "0x"),
        request("state_getKeysPaged", "0x", 1000),
        request("chain_getBlock"),
        request("chain_getBlockHash", [1] * 1024),
        request("author_pendingExtrinsics"),
        request("system_dryRun", zeros),
        request("transaction_prepare", remark, "0x" + "02" * 33),
        request("bill_getBatch", pairs),
        request("bill_byDate"),
        request("participant_list"),
        request("rpc.discover"),
        b"[" + b",".join([request("bill_byDate")] * 512) + b"]",
        b"[" + b",".join([request("state_getMetadata")] * 64) + b"]",
    ]


# -- attackers ----------------------------------------------------------------


def frame(message: bytes) -> bytes:
    """A text frame, masked with zeros."""
    length = len(message)
    if length < 126:
        head = bytes([0x81, 0x80 | length])
    elif length < 1 << 16:
        head = bytes([0x81, 0x80 | 126]) + struct.pack(">H", length)
    else:
        head = bytes([0x81, 0x80 | 127]) + struct.pack(">Q", length)
    return head + b"\0\0\0\0" + message


HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: node\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


def silent(ports: list[int], questions: list[bytes], closed):
    """Connections that send all that a node takes and read nothing."""
    os.nice(10)
    short = [one for one in questions if len(one) < 100_000]
    open_ones = {}
    turn = 0
    while True:
        for place in range(len(ports) * SILENT):
            stream = open_ones.get(place)
            try:
                if stream is None:
                    stream = socket.create_connection(
                        ("127.0.0.1", ports[place % len(ports)]), timeout=2
                    )
                    stream.sendall(HANDSHAKE)
                    stream.setblocking(False)
                    open_ones[place] = stream
                turn += 1
                stream.send(frame(short[turn % len(short)]) * 4)
            except BlockingIOError:
                pass
            except OSError:
                # Closed, which it has to be, or refused: again.
                open_ones.pop(place, None)
                closed.value += 1
                if stream is not None:
                    stream.close()
        time.sleep(0.01)


def dear(port: int, questions: list[bytes], offset: int, answered):
    """Asks one dear question after the other."""
    os.nice(10)
    connection = None
    while True:
        try:
            if connection is None:
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            body = questions[offset % len(questions)]
            offset += 1
            connection.request("POST", "/", body, {"Content-Type": "application/json"})
            connection.getresponse().read()
            answered.value += 1
        except (OSError, http.client.HTTPException):
            if connection is not None:
                connection.close()
            connection = None
            time.sleep(0.05)


def flood(network: Network, node: int, who: str, items: int, seconds: int):
    """A participant that sends as fast as it can."""
    command = [network.bench, "flood", "--rpc", network.url(node), "--who", who]
    command += ["--items", str(items), "--seconds", str(seconds)]
    return subprocess.Popen(
        ["nice", "-n", "10", *command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
    )


# -- honest -------------------------------------------------------------------

READ = [
    request("bill_get", "31060125", "0000000001"),
    request("system_accountNextIndex", "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"),
    request("participant_resolve", "did:bill:hospital"),
    request("chain_getHeader"),
]


def honest(ports: list[int], results, stop):
    """Reads at a steady rate; puts the milliseconds that each read took."""
    connections = {port: http.client.HTTPConnection("127.0.0.1", port, timeout=30) for port in ports}
    turn = 0
    took, failed = [], 0
    while not stop.is_set():
        for port in ports:
            begun = time.monotonic()
            turn += 1
            connection = connections[port]
            try:
                body = READ[turn % len(READ)]
                connection.request("POST", "/", body, {"Content-Type": "application/json"})
                answer = json.loads(connection.getresponse().read())
                failed += "result" not in answer
            except (OSError, http.client.HTTPException, ValueError):
                failed += 1
                connection.close()
            took.append((time.monotonic() - begun) * 1000)
            time.sleep(max(0.0, 1 / (READS * len(ports)) - (time.monotonic() - begun)))
    results.put((took, failed))


def resident_mib(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise Failure(f"process {pid} has ended")


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


# -- the mix under dear questions ----------------------------------------------
#
# What the chain did is read from the nodes' own metrics: a client that follows it
# asks for blocks, so that its view of a flooded node comes later than the chain.


def counted(network: Network) -> dict:
    """What the nodes count: transactions in blocks, votes' steps, failed rounds."""
    sums = {"at": time.monotonic(), "included": 0.0, "votes": 0.0, "steps": 0.0, "rounds": 0.0}
    for place in network.layout():
        connection = http.client.HTTPConnection("127.0.0.1", place["metrics_port"], timeout=30)
        connection.request("GET", "/metrics")
        for line in connection.getresponse().read().decode().splitlines():
            name, _, value = line.rpartition(" ")
            kind = name.split("{")[0]
            if kind == "billchain_txpool_included_total":
                sums["included"] += float(value) / NODES
            elif kind == "malachitebft_core_consensus_consensus_round_sum":
                sums["rounds"] += float(value)
            elif 'step="Prevote"' in name or 'step="Precommit"' in name:
                if kind == "malachitebft_core_consensus_time_per_step_sum":
                    sums["votes"] += float(value)
                elif kind == "malachitebft_core_consensus_time_per_step_count":
                    sums["steps"] += float(value)
        connection.close()
    return sums


def load_mix(network: Network, arguments, name: str) -> dict:
    """The load generator's mix at the asked rate: its record, and what the nodes
    counted in its busiest window of the asked length."""
    file = network.directory / f"{name}.json"
    command = [network.bench, "load", "--mix", "--rate", arguments.mix, "--warm-up", 5]
    command += ["--preload", PRELOAD, "--duration", arguments.seconds, "--out", file]
    for node in ALL:
        command += ["--rpc", network.url(node)]
    samples = [counted(network)]
    with open(network.directory / f"{name}.log", "w") as log:
        load = subprocess.Popen(list(map(str, command)), stdout=log, stderr=log)
        while load.poll() is None:
            time.sleep(0.5)
            samples.append(counted(network))
    if not file.exists():
        words = (network.directory / f"{name}.log").read_text().strip()[-800:]
        raise Failure(f"the load generator gave no result: {words}")
    record = json.loads(file.read_text())
    record["nodes"] = busiest(samples, arguments.seconds)
    return record


def busiest(samples: list[dict], seconds: int) -> dict:
    """The window of so many seconds in which blocks took most transactions, after
    those that were sent before the load."""
    first = samples[0]["included"] + PRELOAD
    after = [one for one in samples if one["included"] >= first]
    best = None
    for at, begin in enumerate(after):
        end = next((one for one in after[at:] if one["at"] - begin["at"] >= seconds), None)
        if end is None:
            break
        change = {name: end[name] - begin[name] for name in begin}
        if best is None or change["included"] / change["at"] > best["included"] / best["at"]:
            best = change
    if best is None:
        raise Failure(f"the load lasted less than {seconds} s")
    return {
        "rate": best["included"] / best["at"],
        "vote_ms": 1000 * best["votes"] / max(best["steps"], 1),
        "failed_rounds": best["rounds"],
    }


def run_mix(network: Network, arguments) -> bool:
    """The mix by itself, then with the dearest questions asked all the while."""
    network.start_all()
    for node in ALL:
        network.wait_height(node, 1, 60)
    alone = load_mix(network, arguments, "alone")
    questions = dear_questions(network)
    answered = multiprocessing.Value("Q", 0)
    ports = [place["rpc_port"] for place in network.layout()]
    attackers = [
        multiprocessing.Process(
            target=dear, args=(ports[place % NODES], questions, place, answered), daemon=True
        )
        for place in range(NODES * DEAR)
    ]
    for attacker in attackers:
        attacker.start()
    try:
        under = load_mix(network, arguments, "under")
    finally:
        for attacker in attackers:
            attacker.terminate()
    print(f"dear: {answered.value} answers", flush=True)
    return judge_mix(alone, under)


def judge_mix(alone: dict, under: dict) -> bool:
    """Prints both, and whether the flood cost the chain more than it may."""
    for name, record in (("alone", alone), ("under dear questions", under)):
        nodes, latency, reads = record["nodes"], record["latency_ms"], record["reads"]
        print(
            f"{name}: {nodes['rate']:.0f}/s into blocks, a step of votes {nodes['vote_ms']:.1f} ms, "
            f"{nodes['failed_rounds']:.0f} failed rounds; a client that follows blocks sees them "
            f"after p50 {latency['p50']:.0f} ms, p99 {latency['p99']:.0f} ms; reads p50 "
            f"{reads['latency_ms']['p50']:.0f} ms; {record['lost']} lost",
            flush=True,
        )
    rate = under["nodes"]["rate"] / alone["nodes"]["rate"]
    step, bound = under["nodes"]["vote_ms"], MIX_STEP * alone["nodes"]["vote_ms"] + MIX_STEP_MS
    print(f"{rate:.0%} of the throughput, steps of votes within {bound:.1f} ms", flush=True)
    failed = under["nodes"]["failed_rounds"] > alone["nodes"]["failed_rounds"]
    return rate >= MIX_THROUGHPUT and step <= bound and not under["lost"] and not failed


# -- the run ------------------------------------------------------------------


def attack(network: Network, arguments) -> list:
    """Starts the attackers; what stops them, and what they count."""
    questions = dear_questions(network)
    ports = [place["rpc_port"] for place in network.layout()]
    kinds = [kind for kind in ATTACKS if kind not in arguments.without]
    counts = {kind: multiprocessing.Value("Q", 0) for kind in ("silent", "dear")}
    processes, floods = [], {}
    if "silent" in kinds:
        processes.append(
            multiprocessing.Process(target=silent, args=(ports, questions, counts["silent"]))
        )
    if "dear" in kinds:
        for place in range(len(ports) * DEAR):
            port = ports[place % len(ports)]
            processes.append(
                multiprocessing.Process(target=dear, args=(port, questions, place, counts["dear"]))
            )
    for process in processes:
        process.daemon = True
        process.start()
    if "flood" in kinds:
        floods["flood"] = flood(network, 1, "//hospital", 1, arguments.seconds)
    if "batches" in kinds:
        floods["batches"] = flood(network, 2, "//insurer-a", 20_000, arguments.seconds)
    return processes, floods, counts


def run(network: Network, arguments) -> bool:
    network.start_all()
    for node in ALL:
        network.wait_height(node, 1, 60)
    ports = [place["rpc_port"] for place in network.layout()]
    before = {node: resident_mib(network.pid(node)) for node in ALL}
    results, stop = multiprocessing.Queue(), multiprocessing.Event()
    reader = multiprocessing.Process(target=honest, args=(ports, results, stop), daemon=True)
    reader.start()
    height = network.height(1)
    processes, floods, counts = attack(network, arguments)
    most = dict(before)
    until = time.monotonic() + arguments.seconds
    try:
        while time.monotonic() < until:
            for node in ALL:
                pid = network.pid(node)
                if pid is None:
                    raise Failure(f"node {node} has ended:\n{network.log_tail(node)}")
                most[node] = max(most[node], resident_mib(pid))
            time.sleep(1 / SAMPLES)
    finally:
        stop.set()
        took, failed = results.get(timeout=60)
        for process in processes:
            process.terminate()
    for name, process in floods.items():
        try:
            print(f"{name}: {process.communicate(timeout=30)[0].strip()}", flush=True)
        except subprocess.TimeoutExpired:
            process.kill()
    if "silent" not in arguments.without:
        print(f"silent: {counts['silent'].value} connections closed or refused")
    if "dear" not in arguments.without:
        print(f"dear: {counts['dear'].value} answers")
    # Once the storm is over they go on, together.
    end = max(network.height(node) for node in ALL)
    for node in ALL:
        network.wait_height(node, end + 1, 60)
    marks = {node: network.header_at(node, end) for node in ALL}
    return judge(arguments, before, most, (took, failed), (height, end), marks)


def judge(arguments, before, most, reads, heights, marks) -> bool:
    took, failed = reads
    passed = True

    def line(name: str, found: str, kept: bool):
        nonlocal passed
        passed &= kept
        print(f"{name}: {found}{'' if kept else '  EXCEEDED'}", flush=True)

    for node in ALL:
        found = f"{before[node]:.0f} MiB before, {most[node]:.0f} MiB at most"
        line(f"memory of node {node}", found, most[node] <= arguments.max_mib)
    slow = percentile(took, 0.99)
    found = (
        f"{len(took)}, median {percentile(took, 0.5):.1f} ms, p99 {slow:.1f} ms, "
        f"longest {max(took):.0f} ms, {failed} failed"
    )
    line("honest reads", found, slow <= arguments.max_ms and failed == 0)
    blocks = heights[1] - heights[0]
    line("blocks", f"{blocks} in {arguments.seconds} s", blocks >= arguments.seconds / 5)
    line("nodes agree", str(marks[1]["hash"]), all(mark == marks[1] for mark in marks.values()))
    return passed


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", type=Path, required=True)
    parser.add_argument("--seconds", type=int, default=300)
    parser.add_argument("--max-mib", type=float, default=1024)
    parser.add_argument("--max-ms", type=float, default=200)
    parser.add_argument("--mix", type=int, metavar="RATE")
    parser.add_argument("--without", action="append", default=[], choices=ATTACKS)
    parser.add_argument("--base-port", type=int)
    parser.add_argument("--keep", action="store_true")
    arguments = parser.parse_args()
    directory = Path(tempfile.mkdtemp(prefix="bounds-"))
    network = Network(arguments.bin, directory, arguments.base_port)
    try:
        network.make()
        passed = (run_mix if arguments.mix else run)(network, arguments)
    except (Failure, OSError) as failure:
        print(f"FAILED: {failure}", flush=True)
        passed = False
    finally:
        for node in ALL:
            network.kill(node)
        if arguments.keep:
            print(f"its nodes' data and logs: {directory}", flush=True)
        else:
            shutil.rmtree(directory, ignore_errors=True)
    print("all bounds were kept" if passed else "FAILED", flush=True)
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
