"""Several nodes as one: time-outs, failover, and no node of another chain.

A request goes to the node that answered last. One that cannot be reached, has no room or lacks
what was asked for is left for the next, round after round until the patience ends. Reads and
submissions of the same bytes may be asked twice, so no answer that got lost does harm.
"""

import http.client
import itertools
import json
import threading
import time
import urllib.error
import urllib.request

from .errors import BillChainError, RpcRefused, Unreachable, WrongChain

MAX_ANSWER = 64 << 20
# A node without room, or without what another one may have.
ELSEWHERE = {-32603, -32009, -32011, 4005, 4006, 4008}
POOL_ELSEWHERE = {2003, 2005, 2014, 2015, 2017, 2018, 2019, 2020}


class Nodes:
    """Asks nodes of one chain."""

    def __init__(self, urls, genesis, rules, *, timeout=10.0, headers=None, context=None):
        if not urls:
            raise BillChainError("at least one node is needed", code="Form", field="urls")
        self.urls = list(urls)
        self.genesis, self.rules, self.timeout = genesis, rules, timeout
        self.headers = {"Content-Type": "application/json", **(headers or {})}
        self.context = context
        self._ids, self._first = itertools.count(1), 0
        self._known = set()
        self._lock = threading.Lock()

    def post(self, url, method, params, timeout):
        """One request to one node."""
        body = json.dumps({"jsonrpc": "2.0", "id": next(self._ids), "method": method,
                           "params": params}).encode("utf-8")
        request = urllib.request.Request(url, body, self.headers)
        try:
            with urllib.request.urlopen(request, timeout=timeout, context=self.context) as response:
                data = response.read(MAX_ANSWER + 1)
        except urllib.error.HTTPError as refused:
            # A door that refuses says why in the same form.
            data = refused.read(MAX_ANSWER + 1)
            if not data.lstrip().startswith(b"{"):
                raise OSError(f"HTTP {refused.code}") from None
        if len(data) > MAX_ANSWER:
            raise OSError(f"an answer of more than {MAX_ANSWER} bytes")
        answer = json.loads(data)
        if not isinstance(answer, dict) or ("result" not in answer) == ("error" not in answer):
            raise ValueError("an answer that is no JSON-RPC")
        if "error" in answer:
            raise RpcRefused(method, answer["error"])
        return answer["result"]

    def check(self, url, timeout):
        """Refuses a node of another chain or of other rules."""
        if url in self._known:
            return
        genesis = self.post(url, "chain_getBlockHash", [0], timeout)
        if genesis != self.genesis:
            raise WrongChain(f"{url}: the chain begins with {genesis}, expected {self.genesis}")
        version = self.post(url, "state_getRuntimeVersion", [], timeout)
        found = tuple(version.get(name) for name in ("specName", "specVersion", "transactionVersion"))
        if found != self.rules:
            raise WrongChain(f"{url}: rules {found}, this client signs for {self.rules}")
        self._known.add(url)

    def ask(self, method, params, *, patience=None, sure=None):
        """What a method answers. `sure` is the node that has to answer."""
        deadline = time.monotonic() + (self.timeout if patience is None else patience)
        causes, pause = {}, 0.05
        while True:
            first = self._first
            order = [sure] if sure else self.urls[first:] + self.urls[:first]
            for url in order:
                left = deadline - time.monotonic()
                if left <= 0 and causes:
                    break
                limit = max(min(self.timeout, left), 0.05)
                try:
                    self.check(url, limit)
                    result = self.post(url, method, params, limit)
                    if not sure:
                        self._first = self.urls.index(url)
                    return result, url
                except RpcRefused as refused:
                    if refused.code not in ELSEWHERE and refused.pool not in POOL_ELSEWHERE:
                        raise
                    causes[url] = refused
                except (OSError, ValueError, http.client.HTTPException) as problem:
                    self._known.discard(url)
                    causes[url] = problem
            if time.monotonic() + pause >= deadline:
                last = [cause for cause in causes.values() if isinstance(cause, RpcRefused)]
                if len(last) == len(order):
                    raise last[-1]
                shown = "; ".join(f"{url}: {cause}" for url, cause in causes.items())
                raise Unreachable(f"{method}: no node answers: {shown}", causes.values())
            time.sleep(pause)
            pause = min(2 * pause, 1.0)
