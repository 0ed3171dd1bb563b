#!/usr/bin/env python3
"""A platform's receiver of webhooks: an example to copy.

    receiver.py --port 8088 --key 02…  [--key 03…]  --store events.sqlite

It verifies each request as `docs/connectors.md`, "Signed requests", says, does the work once for
each id in one transaction with the note that it is done, and answers. Its work here is to keep
the event. A platform that lost its store starts with `--replay-from HEIGHT`: the answers ask for
all events of that height and later once more, until the first one of a replay has come.

In production it stands behind the platform's own TLS.
"""

import argparse
import json
import sqlite3
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "verifier/python"))
from billchain_sm import sm2_verify, sm3  # noqa: E402

MAX_AGE_MS = 300_000
MAX_BODY = 4 << 20


class Refused(Exception):
    """Why a request is not believed: a status and words."""


def hexadecimal(text, length, name):
    try:
        data = bytes.fromhex(text or "")
    except ValueError:
        data = b""
    if len(data) != length or text != data.hex():
        raise Refused(401, f"{name}: expected {2 * length} digits of lower-case hex")
    return data


def verify(method, target, headers, body, keys, now_ms):
    """The id of a request that one of `keys` signed; else Refused."""
    request_id = headers.get("x-billchain-id")
    hexadecimal(request_id, 32, "x-billchain-id")
    stamp = headers.get("x-billchain-timestamp", "")
    if not (stamp.isascii() and stamp.isdigit()) or abs(int(stamp) - now_ms) > MAX_AGE_MS:
        raise Refused(401, "x-billchain-timestamp: expected milliseconds within five minutes of now")
    key = hexadecimal(headers.get("x-billchain-key"), 33, "x-billchain-key")
    if key.hex() not in keys:
        raise Refused(401, "x-billchain-key: not a known caller")
    signature = hexadecimal(headers.get("x-billchain-signature"), 64, "x-billchain-signature")
    text = "\n".join(["billchain-request/1", method, target, stamp, request_id, sm3(body).hex()])
    if not sm2_verify(key, text.encode(), signature):
        raise Refused(401, "x-billchain-signature: does not fit")
    return request_id


class Store:
    """The events, once each."""

    def __init__(self, path, replay_from):
        self.lock = threading.Lock()
        self.db = sqlite3.connect(path, check_same_thread=False)
        self.db.execute(
            "create table if not exists events"
            " (id text primary key, seq integer not null, topic text not null, body text not null)"
        )
        self.replay_from = replay_from

    def take(self, request_id, event):
        """Whether the event is new: the work and the note are one transaction."""
        with self.lock, self.db:
            done = self.db.execute(
                "insert or ignore into events values (?, ?, ?, ?)",
                (request_id, event["seq"], event["topic"], json.dumps(event, ensure_ascii=False)),
            )
            return done.rowcount == 1

    def count(self):
        with self.lock:
            return self.db.execute("select count(*) from events").fetchone()[0]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def handle_request(self, method):
        server = self.server
        try:
            length = self.headers.get("content-length", "0")
            if not length.isdigit() or int(length) > MAX_BODY:
                raise Refused(413, f"the body: expected at most {MAX_BODY} bytes")
            body = self.rfile.read(int(length))
            request_id = verify(method, self.path, self.headers, body, server.keys, int(time.time() * 1000))
            if method == "GET":
                return self.reply(200, {"events": server.store.count()})
            try:
                event = json.loads(body)
                fits = event["format"] == "billchain-event/1" and event["id"] == request_id
                seq, topic = event["seq"], event["topic"]
            except (ValueError, KeyError, TypeError):
                fits, seq, topic = False, None, None
            if not fits or not isinstance(seq, int) or not isinstance(topic, str):
                raise Refused(422, "the body: expected a billchain-event/1 with the id of the request")
            if self.headers.get("x-billchain-replay"):
                server.store.replay_from = None
            new = server.store.take(request_id, event)
            return self.reply(200, {"received": request_id, "new": new})
        except Refused as refusal:
            status, words = refusal.args
            self.close_connection = True
            return self.reply(status, {"error": words})

    def reply(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        if status == 200 and self.server.store.replay_from is not None:
            self.send_header("x-billchain-replay-from", str(self.server.store.replay_from))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        self.handle_request("POST")

    def do_GET(self):
        self.handle_request("GET")

    def log_message(self, *_):
        pass


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--key", action="append", required=True, help="a caller's key, 66 digits of hex")
    parser.add_argument("--store", required=True)
    parser.add_argument("--replay-from", type=int)
    arguments = parser.parse_args()
    server = ThreadingHTTPServer(("127.0.0.1", arguments.port), Handler)
    server.keys = set(arguments.key)
    server.store = Store(arguments.store, arguments.replay_from)
    print("ready", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
