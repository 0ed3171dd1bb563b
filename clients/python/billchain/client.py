"""A participant's client: calls signed, sent, retried and waited for; bills read and proved."""

import json
import threading
import time
from dataclasses import dataclass

from . import sm
from ._methods import Methods
from .codec import Codec, compact
from .errors import BillChainError, CallFailed, CertificateRefused, NotFinal, RpcRefused, Unreachable
from .nodes import Nodes
from .verifier import verify

ALREADY = {2000, 2001}
# The nonce is another transaction's, here or in a block: what becomes of ours has to be seen.
NONCE_TAKEN = {2008, 2105}
POLL, AGAIN = 0.05, 2.0


@dataclass(frozen=True)
class Prepared:
    """A signed transaction. Keep it, and send it again after whatever happened: it is executed
    once at most."""

    transaction: bytes
    nonce: int
    bill: str | None = None

    @property
    def hash(self):
        """The transaction's hash."""
        return "0x" + sm.sm3(self.transaction).hex()


class Outcome(dict):
    """What became of a transaction that succeeded, as `transaction_status` says."""

    @property
    def events(self):
        """What happened, in order."""
        return self["events"]

    @property
    def repeated(self):
        """Whether the chain had it already: nothing changed, and the first one counts."""
        return any(event["name"] in ("RegistrationRepeated", "LockRepeated") for event in self["events"])


class Client(Methods):
    """A client of several nodes of one chain.

    `urls`: JSON-RPC of nodes. `genesis`: hash of the chain's genesis block, from somewhere that
    one trusts; certificates are checked with it. `signer`: who signs (`Sm2Key`, or a device's).
    `headers`: of each request, for instance an API key. `context`: an `ssl.SSLContext`.
    """

    def __init__(self, urls, genesis, signer=None, *, timeout=10.0, headers=None, context=None):
        self.codec = Codec.own()
        rules = self.codec.table["rules"]
        self.rules = rules["name"], rules["version"], rules["transaction_version"]
        self.genesis = "0x" + genesis.removeprefix("0x").lower()
        if len(self.genesis) != 66:
            raise BillChainError("genesis: expected 64 hexadecimal digits", code="Form", field="genesis")
        self.nodes = Nodes(urls, self.genesis, self.rules, timeout=timeout, headers=headers,
                           context=context)
        self.signer = signer
        self._turn = threading.Lock()
        super().__init__(self)

    # -- asking -----------------------------------------------------------

    def ask(self, method, params):
        """What any method answers."""
        try:
            return self.nodes.ask(method, params)[0]
        except RpcRefused as refused:
            refused.bill = refused.bill or bill_of_params(params)
            raise

    # -- signing ----------------------------------------------------------

    @property
    def account(self):
        """The account that the signer acts for."""
        return "0x" + sm.sm3(self._signer().public_key()).hex()

    def _signer(self):
        if self.signer is None:
            raise BillChainError("this client has no signer: it reads only", code="NoSigner")
        return self.signer

    def sign(self, call, nonce):
        """A transaction of this call and nonce. Nothing is sent."""
        public = self._signer().public_key()
        encoded = self.codec.call(call)
        extension = b"\x00" + compact(nonce)
        _, spec, transactions = self.rules
        genesis = bytes.fromhex(self.genesis[2:])
        payload = (encoded + extension + spec.to_bytes(4, "little")
                   + transactions.to_bytes(4, "little") + genesis + genesis)
        signature = self._signer().sign(payload)
        if len(signature) != 64 or not sm.sm2_verify(public, payload, signature):
            raise BillChainError("the signer's signature is not its key's: expected r and s in 64 "
                                 "bytes, signer id 1234567812345678", code="BadSignature")
        body = (b"\x84\x00" + sm.sm3(public) + b"\x10" + public + signature + extension + encoded)
        return Prepared(compact(len(body)) + body, nonce, bill_of(call))

    # -- sending ----------------------------------------------------------

    def execute(self, call, *, patience=30.0):
        """Signs a call, sends it, and waits until it is final. A lost connection never makes two
        of it: the same bytes are sent again, and another transaction is signed only when the first
        one can never be executed any more.

        Raises `CallFailed` if the chain refuses it, `NotFinal` if it is not final in time.
        """
        deadline = time.monotonic() + patience
        while True:
            with self._turn:
                prepared = self.sign(call, self.ask("system_accountNextIndex", [self.account]))
                self._submit(prepared, deadline, patience)
            outcome = self._wait(prepared, deadline, patience)
            if outcome is not None:
                return outcome

    def send(self, prepared, *, patience=30.0):
        """Sends a signed transaction, at first or again, and waits until it is final."""
        deadline = time.monotonic() + patience
        self._submit(prepared, deadline, patience)
        outcome = self._wait(prepared, deadline, patience)
        if outcome is None:
            raise BillChainError(f"transaction {prepared.hash} can never be executed: another one "
                                 f"has its nonce {prepared.nonce}", code="Superseded",
                                 bill=prepared.bill)
        return outcome

    def _submit(self, prepared, deadline, patience):
        """Sends it. If its nonce is another one's, what becomes of it has to be seen: an earlier
        try may have reached a node."""
        encoded = "0x" + prepared.transaction.hex()
        left = max(deadline - time.monotonic(), 0.1)
        try:
            self.nodes.ask("author_submitExtrinsic", [encoded], patience=left)
        except RpcRefused as refused:
            if refused.pool in ALREADY | NONCE_TAKEN:
                return
            refused.bill = prepared.bill
            raise
        except Unreachable as problem:
            raise NotFinal(prepared, patience, "unknown, because no node answers",
                           prepared.bill) from problem

    def _wait(self, prepared, deadline, patience):
        """What became of it; None if it can never be executed any more."""
        pause, asked, state = POLL, time.monotonic(), "unknown"
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                raise NotFinal(prepared, patience, state, prepared.bill)
            try:
                view, url = self.nodes.ask("transaction_status", [prepared.hash], patience=left)
                state = view["state"]
                if state == "unknown" and self._is_dead(prepared, url):
                    return None
            except Unreachable as problem:
                raise NotFinal(prepared, patience, "unknown, because no node answers",
                               prepared.bill) from problem
            if state == "final":
                if view["success"] is not True:
                    raise CallFailed(view, prepared.bill)
                return Outcome(view)
            if state == "unknown" and time.monotonic() - asked > AGAIN:
                asked = time.monotonic()
                self._submit(prepared, deadline, patience)
            time.sleep(pause)
            pause = min(1.5 * pause, 0.4)

    def _is_dead(self, prepared, url):
        """Whether a node's state has gone beyond the nonce without this transaction."""
        if self.nonce_in_state(url) <= prepared.nonce:
            return False
        view, _ = self.nodes.ask("transaction_status", [prepared.hash], sure=url)
        return view["state"] != "final"

    def nonce_in_state(self, url):
        """The account's next nonce in the state of a node's head."""
        encoded, _ = self.nodes.ask(
            "state_call", ["AccountNonceApi_account_nonce", self.account], sure=url)
        return int.from_bytes(bytes.fromhex(encoded[2:]), "little")

    # -- proving ----------------------------------------------------------

    def certified(self, code, number):
        """The certificate of a bill, or that there is none, fetched and checked: its bytes and what
        it proves. No node is trusted."""
        view = self.ask("bill_certificate", [code, number])
        certificate = bytes.fromhex(view["certificate"][2:])
        proved = verify(certificate, genesis=self.genesis)
        if proved["bill"] != f"{code}-{number}":
            raise CertificateRefused(f"the certificate is of {proved['bill']}, expected "
                                     f"{code}-{number}", f"{code}-{number}")
        return certificate, proved

    def verify(self, certificate):
        """What a certificate proves to whoever trusts this client's genesis."""
        return verify(certificate, genesis=self.genesis)


def bill_of(value):
    """The first bill, as code-number, that a call names."""
    if isinstance(value, dict):
        code, number = value.get("code"), value.get("number")
        if isinstance(code, str) and isinstance(number, str):
            return f"{code}-{number}"
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for one in value:
            found = bill_of(one)
            if found:
                return found
    return None


def bill_of_params(params):
    """The bill that parameters begin with."""
    if len(params) >= 2 and all(isinstance(one, str) for one in params[:2]):
        code, number = params[:2]
        if len(code) == 8 and len(number) == 10 and number.isdigit():
            return f"{code}-{number}"
    return None


def dumps(value):
    """JSON for people, letters as they are."""
    return json.dumps(value, ensure_ascii=False, indent=2)
