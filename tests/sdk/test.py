#!/usr/bin/env python3
"""The story of each SDK against four nodes: with answers that get lost, with a node that is dead,
and each language checking the certificates and bills of all the others.

Told by `run`: where the nodes are, and how each language's story is started.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

from losing_proxy import LosingProxy

# Transactions of one story.
SENT = 7
CODE = "31060188"
passed = failed = 0


def check(name, problem=None):
    """Counts a test."""
    global passed, failed
    passed, failed = passed + (problem is None), failed + (problem is not None)
    print(f"{'ok    ' if problem is None else 'FAILED'} {name}{'' if problem is None else ': ' + problem}",
          flush=True)
    return problem is None


def rpc(url, method, *params):
    """What a node answers."""
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.load(response)["result"]


def tell(command, nodes, genesis, *more):
    """Runs a story; what is wrong with it, or None."""
    arguments = [one for node in nodes for one in ("--node", node)]
    result = subprocess.run([*command, *arguments, "--genesis", genesis, *more],
                            capture_output=True, text=True, timeout=180)
    if result.returncode == 0 and result.stdout.rstrip().endswith("the story holds"):
        return None
    return f"exit code {result.returncode}: {(result.stdout + result.stderr)[-1500:]}"


def lose_answers(name, command, nodes, genesis, number, port):
    """Every submission's answer is lost once, and nothing happens twice."""
    proxy = LosingProxy(nodes[0], port)
    try:
        problem = tell(command, [proxy.url], genesis, "--number", number)
    finally:
        proxy.close()
    if problem is None and len(proxy.lost) != SENT:
        problem = f"{len(proxy.lost)} different transactions were sent, expected {SENT}"
    versions = rpc(nodes[1], "bill_history", CODE, number)
    # Registered, locked, reimbursed.
    if problem is None and len(versions) != 3:
        problem = f"the bill has {len(versions)} versions, expected 3"
    check(f"{name}: a lost answer makes nothing twice", problem)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--node", action="append", required=True)
    parser.add_argument("--port", type=int, required=True, help="a port for the proxy")
    parser.add_argument("--story", action="append", required=True, metavar="NAME=COMMAND")
    given = parser.parse_args()
    stories = {name: command.split() for name, command in (one.split("=", 1) for one in given.story)}
    nodes = given.node
    genesis = rpc(nodes[0], "chain_getBlockHash", 0)
    dead = f"http://127.0.0.1:{given.port + 1}"
    with tempfile.TemporaryDirectory() as directory:
        for place, (name, command) in enumerate(stories.items()):
            number = f"{910_000_000 + 10_000 * place:010}"
            check(f"{name}: the story against four nodes, the first of them dead",
                  tell(command, [dead, *nodes], genesis, "--number", number, "--write", directory))
            lose_answers(name, command, nodes, genesis, f"{int(number) + 100:010}", given.port)
        written = sorted(file.stem for file in Path(directory).glob("*.cert"))
        check("each left a certificate",
              None if written == sorted(stories) else f"only {written}")
        for place, (name, command) in enumerate(stories.items()):
            number = f"{920_000_000 + 10_000 * place:010}"
            check(f"{name}: checks the others' certificates, and finds their bills",
                  tell(command, nodes, genesis, "--number", number, "--read", directory))
        for name, command in stories.items():
            wrong = "0x" + "11" * 32
            problem = tell(command, nodes, wrong, "--number", "0000000001")
            refused = problem is not None and "the chain begins with" in problem
            check(f"{name}: a node of another chain is refused",
                  None if refused else f"it was not: {problem}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
