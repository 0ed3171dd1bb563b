"""Stand-ins of the city's systems, workers' files, and the oracle that counts both sides."""

import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

from network import NODES, Failure, Network

# Which stand-in answers a connector, in which format, what it is told, and how it is named.
CONNECTORS = {
    "old-system": ("old-bills", "old_bill_system", "mof-public-service/1"),
    "evidence": ("evidence", "evidence_chain", "evidence/1"),
    "signing": ("signing", "signing_chain", "signing/1"),
    "insurer-a": ("insurance", "insurer", "credential-push/1"),
    "platform": ("receiver", "webhook", "webhook/1"),
}
OF_BILLS = ("old-system", "evidence", "platform")
BILL_CHANGES = "bill_locked,bill_unlocked,bill_reimbursed,bill_use_reversed,bill_red_reversed,bill_retold"
GRANT_CHANGES = "grant_registered,grant_changed"
APP_KEY = "of a development network"


def request(url: str, method: str = "GET", body=None, timeout: float = 30):
    data = None if body is None else json.dumps(body).encode()
    call = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)
    with urllib.request.urlopen(call, timeout=timeout) as response:
        return json.load(response)


class StandIn:
    """One stand-in: a process, its two ports, its journal."""

    def __init__(self, program: Path, work: Path, name: str, kind: str, port: int, seed: int):
        self.name, self.kind, self.port, self.admin = name, kind, port, port + 1
        self.command = [
            program, "run", kind, "--listen", f"127.0.0.1:{port}", "--admin", f"127.0.0.1:{port + 1}",
            "--journal", work / f"{name}.journal", "--tls", work / "tls", "--seed", str(seed),
            "--key-seed", name, "--app-id", "billchain", "--app-key", APP_KEY,
        ]
        self.log = work / f"{name}.log"
        self.child = None

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def start(self):
        if self.child is not None and self.child.poll() is None:
            return
        with open(self.log, "ab") as log:
            self.child = subprocess.Popen(
                [str(part) for part in self.command], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,
            )
        wait_for(f"the stand-in {self.name}", 20, lambda: self.counts() is not None)

    def kill(self):
        if self.child is not None and self.child.poll() is None:
            os.kill(self.child.pid, signal.SIGKILL)
            self.child.wait(10)

    def look(self, path: str, method: str = "GET", body=None):
        return request(f"http://127.0.0.1:{self.admin}{path}", method, body)

    def counts(self) -> dict:
        return self.look("/counts")

    def faults(self, **faults):
        """Sets these faults and ends all others."""
        self.look("/faults", "PUT", faults)

    def public_key(self) -> str:
        return self.look("/key")["public_key"]

    def effects(self) -> list[dict]:
        found = []
        while page := self.look(f"/effects?after={len(found)}"):
            found += page
        return found


def wait_for(what: str, patience: float, holds):
    """Waits until `holds()` is true, and gives what it gave."""
    deadline = time.monotonic() + patience
    last = None
    while time.monotonic() < deadline:
        try:
            if result := holds():
                return result
        except (OSError, urllib.error.URLError, Failure, KeyError) as problem:
            last = problem
        time.sleep(0.1)
    raise Failure(f"{what}: not within {patience:.0f} s{f' ({last})' if last else ''}")


class City:
    """The stand-ins, and the workers' files of four nodes."""

    def __init__(self, network: Network, bin_: Path, work: Path, base_port: int, seed: int, names):
        self.network, self.work = network, work
        self.mocks = bin_ / "billchain-mocks"
        work.mkdir(parents=True, exist_ok=True)
        self.run_mocks("certificates", "--out", work / "tls")
        self.stand_ins = {
            name: StandIn(self.mocks, work, name, CONNECTORS[name][0], base_port + 2 * at, seed + at)
            for at, name in enumerate(names)
        }
        self.numbers = {}

    def run_mocks(self, *arguments):
        subprocess.run([self.mocks, *map(str, arguments)], check=True, timeout=30)

    def start(self):
        for stand_in in self.stand_ins.values():
            stand_in.start()

    def stop(self):
        for stand_in in self.stand_ins.values():
            stand_in.kill()

    def settings(self, name: str, compare: str = "") -> str:
        """The connector's own settings, for the file of a worker."""
        stand_in = self.stand_ins[name]
        match name:
            case "old-system":
                key = self.work / "app_key"
                key.write_text(APP_KEY)
                key.chmod(0o600)
                return (
                    f'url = "{stand_in.url}/public"\napp_id = "billchain"\n'
                    f'app_key_file = "{key}"\n{compare}'
                )
            case "evidence":
                return f'url = "{stand_in.url}"\npublic_key = "{stand_in.public_key()}"\nbatch = 256\n'
            case "signing":
                return (
                    f'url = "{stand_in.url}"\npublic_key = "{stand_in.public_key()}"\n'
                    'template = "authorization/1"\n'
                )
            case "insurer-a":
                return (
                    f'[connector.settings.receivers."did:bill:insurer-a"]\n'
                    f'url = "{stand_in.url}"\npublic_key = "{stand_in.public_key()}"\n'
                )
            case "platform":
                return f'url = "{stand_in.url}/hook"\n'
        raise Failure(f"no settings of {name}")

    def configure(self, compare: str = "", tend_ms: int = 1_000, more: str = ""):
        """Writes the worker file of each node and names it in the node's configuration. The
        stand-ins have to run, the nodes not."""
        for node in range(1, NODES + 1):
            home = self.network.directory / f"node-{node}"
            parts = []
            for name in self.stand_ins:
                parts.append(
                    f'[[connector]]\nendpoint = "{name}"\ndevelopment_key = "//worker-{node}"\n'
                    f"concurrency = 64\nper_second = 5000\nbreaker_failures = 20\n"
                    f"longest_pause_ms = 2000\ntend_ms = {tend_ms}\n"
                    f'http = {{ authorities = "{self.work / "tls" / "ca.pem"}", request_ms = 3000 }}\n'
                    f"{more}[connector.settings]\n{self.settings(name, compare)}\n"
                )
            (home / "workers.toml").write_text("\n".join(parts))
            config = home / "node.toml"
            text = config.read_text()
            if "workers.toml" not in text:
                config.write_text(text + '\n[workers]\nfile = "workers.toml"\n')

    def register(self, admin, public_key, topics=None, max_waiting: int = 1_000_000):
        """The council admits the workers' participants and registers the connectors. `admin`
        runs `billchain admin …` and gives its answer; `public_key` tells a seed's key."""
        workers = []
        for node in range(1, NODES + 1):
            workers.append(f"did:bill:worker-{node}")
            admin(
                "participants", "register", workers[-1], "--name", f"工作进程{node}（虚构）",
                "--public-key", public_key(f"worker-{node}"), "--roles", "user", "--development-council",
            )
        for name in self.stand_ins:
            _, kind, form = CONNECTORS[name]
            told = (topics or {}).get(name, BILL_CHANGES if name in OF_BILLS else GRANT_CHANGES)
            admin(
                "connectors", "register", "--kind", kind, "--endpoint", name, "--format", form,
                "--topics", told, "--scenes", "all", "--acknowledgers", ",".join(workers),
                "--max-refusals", "5", "--max-waiting", str(max_waiting), "--development-council",
            )
        for view in self.status():
            self.numbers[view["endpoint"]] = view["connector"]

    # -- asking ------------------------------------------------------------

    def status(self, node: int = 1) -> list[dict]:
        return self.network.rpc(node, "connector_status", timeout=30)

    def view(self, name: str, node: int = 1) -> dict:
        return next(view for view in self.status(node) if view["endpoint"] == name)

    def tally(self, name: str, node: int = 1) -> dict:
        return self.view(name, node)["entries"]

    def holder(self, name: str, node: int = 1) -> int | None:
        """The node whose worker has the lease."""
        lease = self.view(name, node)["lease"]
        return int(lease["holder"].rsplit("-", 1)[1]) if lease else None

    def is_drained(self, name: str, node: int = 1) -> bool:
        tally = self.tally(name, node)
        return tally["waiting"] == 0 and tally["dead"] == 0

    def wait_drained(self, patience: float, names=None, node: int = 1):
        for name in names or self.stand_ins:
            wait_for(f"the entries of {name} are acknowledged", patience, lambda n=name: self.is_drained(n, node))

    def history(self, name: str, node: int = 1) -> list[dict]:
        """What became of all entries of a connector, by their numbers."""
        found, cursor = [], None
        while True:
            page = self.network.rpc(node, "outbox_history", self.numbers[name], cursor, 200, timeout=60)
            found += page["items"]
            cursor = page.get("next")
            if cursor is None:
                return found

    # -- the oracle ---------------------------------------------------------

    def judge(self, name: str, node: int = 1) -> str:
        """Both sides of a connector: each entry has one effect and one acknowledgement, no effect
        has no entry, and a subject's effects came in the order of its versions."""
        stand_in = self.stand_ins[name]
        entries, tally = self.history(name, node), self.tally(name, node)
        problems = []
        numbers = [entry["seq"] for entry in entries]
        if numbers != list(range(1, tally["last"] + 1)):
            problems.append(f"{len(numbers)} traces of {tally['last']} entries")
        if tally["acknowledged"] != tally["last"] or tally["omitted"]:
            problems.append(f"the chain counts {tally}")
        not_done = [entry["seq"] for entry in entries if entry["status"] != "acknowledged" or not entry["answer"]]
        if not_done:
            problems.append(f"not acknowledged: {not_done[:5]}")
        effects, counts = stand_in.effects(), stand_in.counts()
        # A cancelled process is no effect of its own: the registration's is counted.
        effects = [effect for effect in effects if effect["kind"] not in ("seed", "cancel")]
        keys = [effect["key"] for effect in effects]
        if len(set(keys)) != len(keys):
            problems.append("an effect happened twice under one key")
        # Which effect is of which entry: subject and version, as both sides say it.
        mine = sorted((subject(entry), entry["version"]) for entry in entries if self.is_told(name, entry))
        theirs = sorted((subject_there(name, effect), effect["version"]) for effect in effects)
        if mine != theirs:
            missing = [one for one in mine if one not in set(theirs)][:5]
            more = [one for one in theirs if one not in set(mine)][:5]
            problems.append(
                f"{len(mine)} entries and {len(theirs)} effects; without effect: {missing}; without entry: {more}"
            )
        newest = {}
        for effect in effects:
            of = subject_there(name, effect)
            if effect["version"] < newest.get(of, 0):
                problems.append(f"{of}: version {effect['version']} came after {newest[of]}")
                break
            newest[of] = effect["version"]
        if counts["twice"] or counts["out_of_order"]:
            problems.append(f"the stand-in counts {counts}")
        if problems:
            raise Failure(f"{name}: " + "; ".join(problems))
        return (
            f"{name}: {len(entries)} entries, {len(effects)} effects, {counts['requests']} requests, "
            f"{counts['repeated']} of them repeated"
        )

    @staticmethod
    def is_told(name: str, entry: dict) -> bool:
        """Whether an entry has an effect outside: a signing process takes registrations and
        revocations, and what is not a bill's is none of the old system's."""
        if name == "signing":
            return entry["topic"] == "grant_registered"
        return True


def subject(entry: dict) -> str:
    (kind, value), = entry["subject"].items()
    return f"{value['code']}-{value['number']}" if kind == "bill" else str(value).removeprefix("0x")


def subject_there(name: str, effect: dict) -> str:
    if name == "platform":
        (value,) = json.loads(effect["subject"]).values()
        return value.removeprefix("0x")
    return effect["subject"].removeprefix("0x")
