"""Asks the explorer as its page does: with a session's cookie and its token."""

import base64
import hashlib
import hmac
import http.cookiejar
import json
import time
import urllib.error
import urllib.parse
import urllib.request


class Refused(Exception):
    """The explorer said no."""

    def __init__(self, status: int, error: dict):
        super().__init__(f"{status} {error.get('code')}: {error.get('message')} ({error.get('field')})")
        self.status = status
        self.code = error.get("code")


class Client:
    def __init__(self, address: str):
        self.address = address
        self.jar = http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.jar))
        self.csrf = self.get("/session")["csrf"]

    def ask(self, method: str, path: str, body=None) -> tuple[bytes, dict]:
        headers = {"x-csrf-token": getattr(self, "csrf", "")}
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            headers["content-type"] = "application/json"
        request = urllib.request.Request(self.address + "/api/v1" + path, data, headers, method=method)
        try:
            with self.opener.open(request, timeout=30) as answer:
                return answer.read(), dict(answer.headers)
        except urllib.error.HTTPError as refusal:
            raise Refused(refusal.code, json.loads(refusal.read() or b"{}").get("error", {})) from None

    def get(self, path: str):
        return json.loads(self.ask("GET", path)[0])

    def bytes(self, path: str) -> bytes:
        return self.ask("GET", path)[0]

    def post(self, path: str, body):
        return json.loads(self.ask("POST", path, body)[0] or b"null")

    def login(self, user: dict) -> dict:
        """With what `billchain-explorer user add --json` printed."""
        answer = self.post(
            "/session/password",
            {"name": user["name"], "password": user["password"], "totp": one_time_code(user["totp_secret"])},
        )
        self.csrf = answer["csrf"]
        return answer

    def all(self, path: str):
        """Every row of a list, page by page."""
        with_what = "&" if "?" in path else "?"
        cursor = ""
        while True:
            page = self.get(f"{path}{with_what}limit=100{cursor}")
            yield from page["items"]
            if page["next"] is None:
                return
            cursor = "&cursor=" + urllib.parse.quote(page["next"])

    def cookie(self) -> str:
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.jar)


def one_time_code(secret: str) -> str:
    """RFC 6238."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.new(key, int(time.time() // 30).to_bytes(8, "big"), hashlib.sha1).digest()
    at = digest[19] & 15
    return f"{(int.from_bytes(digest[at:at + 4], 'big') & 0x7FFFFFFF) % 1_000_000:06}"
