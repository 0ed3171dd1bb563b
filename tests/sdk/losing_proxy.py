"""Stands between a client and a node, and loses answers: every submission reaches the node, and the
first answer to each is dropped with its connection. Tells how many different transactions went by."""

import json
import threading
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SUBMIT = b'"author_submitExtrinsic"'


class LosingProxy:
    """A proxy to a node, on a port of its own."""

    def __init__(self, node, port):
        self.lost = set()
        self.lock = threading.Lock()
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            """Passes requests on."""

            protocol_version = "HTTP/1.1"

            def do_POST(self):  # noqa: N802, the library's name
                """One request."""
                body = self.rfile.read(int(self.headers["Content-Length"]))
                request = urllib.request.Request(node, body, {"Content-Type": "application/json"})
                with urllib.request.urlopen(request, timeout=30) as response:
                    answer = response.read()
                if SUBMIT in body and proxy.is_new(json.loads(body)["params"][0]):
                    self.close_connection = True
                    self.connection.close()
                    return
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                """Nothing is logged."""

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.url = f"http://127.0.0.1:{port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def is_new(self, transaction):
        """Whether a transaction goes by for the first time."""
        with self.lock:
            known = transaction in self.lost
            self.lost.add(transaction)
            return not known

    def close(self):
        """Ends it."""
        self.server.shutdown()
        self.server.server_close()
