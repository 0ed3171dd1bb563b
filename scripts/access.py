"""Access to a node as its callers meet it, and what it costs: see `./scripts/access`."""

import argparse
import base64
import json
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from network import Failure, Network

# What the issue allows: with TLS and tokens this part of the plain rate at least, and under
# attack times of others that are at most so many times as long.
LEAST_RATIO = 0.85
MOST_P99 = 1.10
ISSUER = "https://sso.example"


def run(*command, stdin: bytes | None = None) -> bytes:
    result = subprocess.run([str(part) for part in command], input=stdin, capture_output=True)
    if result.returncode != 0:
        raise Failure(f"{command[0]} {command[1]}: {result.stdout.decode()}{result.stderr.decode()}")
    return result.stdout


def url64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Issuer:
    """Signs tokens with ES256, by OpenSSL."""

    def __init__(self, home: Path):
        self.key = home / "issuer.pem"
        run("openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", self.key)
        der = run("openssl", "ec", "-in", self.key, "-pubout", "-outform", "DER")
        x, y = der[-64:-32], der[-32:]
        key = {"kty": "EC", "crv": "P-256", "kid": "1", "use": "sig", "x": url64(x), "y": url64(y)}
        (home / "keys.json").write_text(json.dumps({"keys": [key]}))

    def token(self, client: str, audience: str = "billchain", lives: int = 3_000) -> str:
        now = int(time.time())
        claims = {"iss": ISSUER, "aud": audience, "client_id": client, "iat": now, "exp": now + lives}
        parts = [json.dumps(part).encode() for part in ({"alg": "ES256", "kid": "1"}, claims)]
        signed = ".".join(url64(part) for part in parts)
        der = run("openssl", "dgst", "-sha256", "-sign", self.key, stdin=signed.encode())
        # SEQUENCE of two INTEGERs, as two of 32 bytes each.
        at, raw = 2, b""
        for _ in range(2):
            length = der[at + 1]
            raw += der[at + 2 : at + 2 + length].lstrip(b"\0").rjust(32, b"\0")
            at += 2 + length
        return f"{signed}.{url64(raw)}"


class Guarded:
    """A network whose first node has a guarded listener."""

    def __init__(self, binaries: Path, directory: Path, base_port: int | None):
        self.network = Network(binaries, directory / "network", base_port)
        self.network.make()
        self.home = directory / "network" / "node-1"
        self.issuer = Issuer(self.home)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.make_certificates()
        made = run(self.network.billchain, "access", "new-key").decode()
        self.key, self.sm3 = (line.rsplit(" ", 1)[1] for line in made.strip().split("\n"))
        self.configure(revoked=False)
        with open(self.home / "node.toml", "a") as config:
            config.write('\n[access]\nfile = "access.toml"\n')

    def make_certificates(self):
        home = self.home
        run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
            "/CN=billchain test authority", "-keyout", home / "ca.key", "-out", home / "ca.pem")
        run("openssl", "req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost",
            "-keyout", home / "tls.key", "-out", home / "tls.csr")
        (home / "san").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
        run("openssl", "x509", "-req", "-in", home / "tls.csr", "-CA", home / "ca.pem", "-CAkey",
            home / "ca.key", "-CAcreateserial", "-days", "2", "-extfile", home / "san",
            "-out", home / "tls.pem")

    def configure(self, revoked: bool):
        (self.home / "access.toml").write_text(f"""
[[listener]]
name = "members"
listen = "127.0.0.1:{self.port}"
classes = ["verify", "read", "write"]
tls = {{ certificate = "tls.pem", key = "tls.key" }}
connections_per_address = 200

[[issuer]]
name = "sso"
issuer = "{ISSUER}"
audience = "billchain"
algorithms = ["ES256"]
keys_file = "keys.json"

[[identity]]
name = "hospital"
participant = "did:bill:hospital"
classes = ["verify", "read", "write"]
subjects = [{{ issuer = "sso", client_id = "hospital" }}]
keys = [{{ sm3 = "{self.sm3}", revoked = {str(revoked).lower()} }}]
share_percent = 10000

[[identity]]
name = "flooder"
participant = "did:bill:insurer-a"
classes = ["verify", "read"]
subjects = [{{ issuer = "sso", client_id = "flooder" }}]
share_percent = 1

[log]
directory = "access-log"
""")

    def ask(self, method: str, *params, **headers):
        """What a caller is answered, or the code that it is refused with."""
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        all_headers = {"Content-Type": "application/json"}
        all_headers.update({name.replace("_", "-"): value for name, value in headers.items()})
        request = urllib.request.Request(
            f"https://127.0.0.1:{self.port}/", body.encode(), all_headers)
        context = ssl.create_default_context(cafile=str(self.home / "ca.pem"))
        try:
            with urllib.request.urlopen(request, timeout=20, context=context) as response:
                answer = json.load(response)
        except urllib.error.HTTPError as refused:
            answer = json.load(refused)
        return answer["error"]["code"] if "error" in answer else answer["result"]


passed = failed = 0


def check(title: str, is_so: bool, found=""):
    global passed, failed
    passed, failed = passed + is_so, failed + (not is_so)
    print(f"{'ok    ' if is_so else 'FAILED'} {title}{'' if is_so else f': {found}'}", flush=True)


def checks(guarded: Guarded):
    network, issuer = guarded.network, guarded.issuer
    token = {"Authorization": f"Bearer {issuer.token('hospital')}"}
    found = guarded.ask("scene_list", **token)
    check("a token of the issuer names its client", isinstance(found, dict), found)
    key = {"X_Api_Key": guarded.key}
    found = guarded.ask("scene_list", **key)
    check("so does an API key", isinstance(found, dict), found)
    for title, headers, code in [
        ("nobody may not read", {}, 4100),
        ("a token of another audience is refused", {"Authorization": f"Bearer {issuer.token('hospital', 'other')}"}, 4104),
        ("an expired one too", {"Authorization": f"Bearer {issuer.token('hospital', lives=-60)}"}, 4102),
        ("a client that nobody knows too", {"Authorization": f"Bearer {issuer.token('x')}"}, 4114),
        ("a whole block is for auditors", token, 4130),
    ]:
        found = guarded.ask("chain_getBlock" if code == 4130 else "scene_list", **headers)
        check(f"{title} ({code})", found == code, found)
    guarded.configure(revoked=True)
    run(network.billchain, "access", "check", guarded.home / "access.toml")
    reload = json.loads(run(network.billchain, "admin", "access", "reload", "--json", "--rpc", network.url(1)))
    check("the configuration is read again", "true" in json.dumps(reload), reload)
    found = guarded.ask("scene_list", **key)
    check("a revoked key is refused (4108 or 4109)", found == 4109, found)
    text = (guarded.home / "access.toml").read_text()
    (guarded.home / "access.toml").write_text(text + "surprise = 1\n")
    reload = network.rpc(1, "access_reload")
    check("a configuration with a mistake changes nothing", reload["taken"] is False and bool(reload["problems"]), reload)
    (guarded.home / "access.toml").write_text(text)
    anchor = [network.billchain, "admin", "access", "anchor-log", "--rpc", network.url(1), "--development-key", "//node-1"]
    run(*anchor)
    operator = operator_account(network)
    verify = [network.billchain, "access-log", "verify", guarded.home / "access-log", "--json",
              "--rpc", network.url(2), "--operator", operator]
    verified = json.loads(run(*verify))
    check("the log is whole, and what the chain knows of it", verified["valid"], verified)
    anchors = network.rpc(2, "access_anchors", operator)
    check("the anchor is on the chain", len(anchors) == 1, anchors)
    lines = run(network.billchain, "access-log", "search", "--rpc", network.url(1), "--code", "4109").decode()
    check("the refusal is in the log", '"code":4109' in lines, lines)
    again = subprocess.run([str(part) for part in anchor], capture_output=True, text=True)
    check("a second anchor on one day is refused", again.returncode == 3, again.stdout + again.stderr)


def operator_account(network: Network) -> str:
    """Account of the operator who has anchored, among those of the validators."""
    operators = [one["operator"] for one in network.rpc(2, "validator_list")["validators"]]
    anchored = [one for one in operators if network.rpc(2, "access_anchors", one)]
    if len(anchored) != 1:
        raise Failure(f"one operator has anchored, found {len(anchored)} of {operators}")
    return anchored[0]


def measure(guarded: Guarded, seconds: int):
    home, network = guarded.home, guarded.network
    for client in ("hospital", "flooder"):
        (home / f"{client}.token").write_text(guarded.issuer.token(client))
    common = ["--guarded", f"https://localhost:{guarded.port}", "--ca", home / "ca.pem",
              "--token-file", home / "hospital.token", "--seconds", seconds, "--json"]
    record = json.loads(run(network.bench, "access", "--plain", network.url(1), *common))
    print(json.dumps(record))
    check(f"with TLS and tokens {LEAST_RATIO:.0%} of the plain rate at least", record["ratio"] >= LEAST_RATIO, record["ratio"])
    record = json.loads(run(network.bench, "attacks", *common, "--flood-token-file", home / "flooder.token"))
    print(json.dumps(record))
    for attack in record["attacks"]:
        title = f"p99 of others under {attack['attack']} is {MOST_P99} times the calm one's at most"
        check(title, attack["p99_ratio"] <= MOST_P99, attack["p99_ratio"])


def main() -> int:
    parser = argparse.ArgumentParser(prog="./scripts/access")
    parser.add_argument("--bin", type=Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--base-port", type=int)
    parser.add_argument("--checks-only", action="store_true")
    parser.add_argument("--keep", action="store_true")
    arguments = parser.parse_args()
    directory = Path(tempfile.mkdtemp(prefix="billchain-access-"))
    guarded = None
    try:
        guarded = Guarded(arguments.bin, directory, arguments.base_port)
        guarded.network.start_all()
        guarded.network.wait_height(1, 2, 60)
        checks(guarded)
        if not arguments.checks_only:
            measure(guarded, arguments.seconds)
    except Failure as failure:
        check("the run", False, failure)
    finally:
        if guarded:
            guarded.network.stop_all()
        if arguments.keep:
            print(f"kept: {directory}")
        else:
            shutil.rmtree(directory, ignore_errors=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
