"""What can go wrong, as exceptions.

`BillChainError` is all of them. `code` is stable, words are not; `field` is the place of what is
wrong, and `bill` the bill (code-number) that it is about, where they are known.
"""

import re


class BillChainError(Exception):
    """Something went wrong. `code` says what, `field` where, `bill` of which bill."""

    def __init__(self, message, *, code=None, field=None, bill=None, zh=None):
        super().__init__(message)
        self.code, self.field, self.bill, self.zh = code, field, bill, zh


class KeyFileError(BillChainError):
    """A file holds no SM2 key that can be used; `code` is `WrongPassword` or `Malformed`."""


class FormError(BillChainError):
    """A value that a call does not take; `field` is its place."""

    def __init__(self, field, expected, found):
        shown = repr(found)
        shown = shown if len(shown) <= 120 else shown[:117] + "..."
        super().__init__(f"{field}: expected {expected}, found {shown}", code="Form", field=field)


class Unreachable(BillChainError):
    """No node gave an answer in time; `causes` says of each node why."""

    def __init__(self, message, causes=()):
        super().__init__(message, code="Unreachable")
        self.causes = list(causes)


class WrongChain(BillChainError):
    """A node follows another chain, or other rules, than this client was made for."""

    def __init__(self, message):
        super().__init__(message, code="WrongChain")


class RpcRefused(BillChainError):
    """A node refused a request. `code` is JSON-RPC's, `pool` the transaction pool's own one,
    `temporary` whether the same request may succeed later."""

    def __init__(self, method, error, bill=None):
        error = error if isinstance(error, dict) else {}
        message, data = str(error.get("message", "")), error.get("data")
        data = data if isinstance(data, dict) else {}
        code = error.get("code")
        field = None
        if code == -32602:
            match = re.match(r"([A-Za-z_][\w.]*): expected ", message)
            field = match and match[1]
        super().__init__(f"{method}: {message} (code {code})", code=code, field=field, bill=bill,
                         zh=data.get("zh"))
        self.method, self.words = method, message
        self.pool, self.temporary = data.get("code"), data.get("temporary") is True


class NotFinal(BillChainError):
    """A transaction is not final in time. It may still become so: send the same `prepared`
    again, at any node and any time."""

    def __init__(self, prepared, patience, state, bill=None):
        super().__init__(f"transaction {prepared.hash} is not final after {patience} s: it is {state}",
                         code="NotFinal", bill=bill)
        self.prepared = prepared


class CallFailed(BillChainError):
    """A transaction is final and its call failed: nothing was changed. `code` is the contract's
    name and the error's, as `BillUpdate.LockedByOther`; `outcome` is the whole answer."""

    def __init__(self, outcome, bill=None):
        error = outcome.get("error") or {}
        code = f"{error.get('pallet')}.{error.get('name')}"
        details = error.get("details") or ""
        match = re.search(r"(?:SummaryField|field): (\w+)", details)
        shown = f" ({details})" if details else ""
        super().__init__(f"{code}{shown}: {error.get('docs')}", code=code,
                         field=match and match[1], bill=bill, zh=error.get("zh"))
        self.details, self.outcome = details or None, outcome


class CertificateRefused(BillChainError):
    """A certificate proves nothing, or another thing than was asked for."""

    def __init__(self, message, bill=None):
        super().__init__(message, code="CertificateRefused", bill=bill)
