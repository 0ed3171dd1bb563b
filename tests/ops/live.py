"""Four nodes that work a little, and a Prometheus that scrapes them."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "scripts"))
from network import NODES, Network  # noqa: E402

PATIENCE = 90


def fetch(url: str, body: dict | None = None) -> str:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.read().decode()


def until(what: str, holds):
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            if found := holds():
                return found
        except OSError:
            pass
        if time.monotonic() > deadline:
            raise SystemExit(f"FAILED within {PATIENCE} s: {what}")
        time.sleep(0.5)


class Live:
    """Stops what it started when it ends."""

    def __init__(self, binaries: Path, directory: Path, base_port: int):
        self.network = Network(binaries, directory / "network", base_port)
        self.directory = directory
        self.port = base_port + 12
        self.prometheus = None
        self.targets = [f"127.0.0.1:{base_port + 8 + node}" for node in range(NODES)]
        self.rpc = f"http://127.0.0.1:{base_port}"

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.tell()
            self.__exit__()
            raise
        return self

    def start(self):
        self.network.make()
        for node in range(1, NODES + 1):
            with open(self.network.directory / f"node-{node}/node.toml", "a") as config:
                config.write("\n[consensus]\nempty_block_interval_ms = 500\n")
        self.network.start_all()
        until("every node makes blocks", lambda: all(
            float(re.search(r"^billchain_height (\S+)$", text, re.M)[1]) >= 2
            for text in self.expositions()))
        self.ask("author_submitExtrinsic", ["0x00"])
        self.ask("system_name", [])
        self.scrape()

    def tell(self):
        """Prints which nodes ended, and the end of what they and Prometheus wrote."""
        for node in range(1, NODES + 1):
            if self.network.pid(node) is None:
                print(f"node {node} is not running; its log:\n{self.network.log_tail(node)}")
        log = self.directory / "prometheus/log"
        if log.exists():
            print("Prometheus wrote:\n" + "\n".join(log.read_text(errors="replace").splitlines()[-10:]))
            try:
                print(f"it has scraped: {self.query('count_over_time(billchain_height[1m])')}")
            except (OSError, ValueError) as failure:
                print(f"and does not answer: {failure}")

    def __exit__(self, *_):
        if self.prometheus is not None:
            self.prometheus.terminate()
            self.prometheus.wait()
        for node in range(1, NODES + 1):
            self.network.kill(node)

    def ask(self, method: str, params: list) -> dict:
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        return json.loads(fetch(self.rpc, body))

    def expositions(self) -> list[str]:
        return [fetch(f"http://{target}/metrics") for target in self.targets]

    def scrape(self):
        """Starts Prometheus with the shipped configuration, but for the targets and
        how often it looks."""
        home = self.directory / "prometheus"
        home.mkdir()
        shutil.copy(ROOT / "ops/prometheus/alerts.yml", home)
        config = (ROOT / "ops/prometheus/prometheus.yml").read_text("utf-8")
        config = config.replace("interval: 15s", "interval: 1s")
        for node, target in enumerate(self.targets):
            config = config.replace(f"127.0.0.1:{9615 + node}\n", f"{target}\n")
        (home / "prometheus.yml").write_text(config, "utf-8")
        with open(home / "log", "wb") as log:
            self.prometheus = subprocess.Popen(
                ["prometheus", "--config.file=prometheus.yml", f"--storage.tsdb.path={home}/data",
                 f"--web.listen-address=127.0.0.1:{self.port}"],
                cwd=home, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=os.environ)
        until("Prometheus has scraped every node", lambda: self.query(
            f'count(count_over_time(billchain_height{{job="billchain"}}[1m]) > 15) == {NODES}'))

    def alerts(self) -> list[dict]:
        """The rules as Prometheus has read them."""
        answer = json.loads(fetch(f"http://127.0.0.1:{self.port}/api/v1/rules?type=alert"))
        return [rule for group in answer["data"]["groups"] for rule in group["rules"]]

    def query(self, query: str) -> list[dict]:
        """What a query gives; what is no query is a failure."""
        address = f"http://127.0.0.1:{self.port}/api/v1/query?"
        try:
            answer = json.loads(fetch(address + urllib.parse.urlencode({"query": query})))
        except urllib.error.HTTPError as error:
            raise ValueError(error.read().decode()) from None
        return answer["data"]["result"]
