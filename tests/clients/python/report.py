"""How a client's test says what works: one line of JSON an operation, read by `suite.py`."""

import json
import subprocess
import os
import sys
import traceback

WS = os.environ["BILLCHAIN_WS"]
HTTP = os.environ["BILLCHAIN_HTTP"]
# The first number of a bill that no other run has.
BASE = int(os.environ.get("BILLCHAIN_BASE", "0"))


def restart():
    """Stops the client's node and starts it again."""
    subprocess.run([os.environ["BILLCHAIN_RESTART"]], check=True, timeout=60)


class Report:
    """Reports the operations of a client."""

    def __init__(self, client, version):
        self.failed = 0
        print(json.dumps({"client": client, "version": version}), flush=True)

    def works(self, operation):
        """An operation that works as the client comes."""
        return self._run(operation, {"outcome": "works"})

    def with_setting(self, operation, setting):
        """An operation that works with a setting of the client."""
        return self._run(operation, {"outcome": "setting", "note": setting})

    def cannot(self, operation, why, words):
        """An operation that the client cannot do here: it fails with these words."""
        return self._run(operation, {"outcome": "cannot", "note": why}, words)

    def _run(self, operation, result, words=None):
        def run(work):
            try:
                if words is None:
                    work()
                else:
                    refused(work, words)
                found = {"operation": operation, **result}
            except Exception:
                self.failed += 1
                found = {"operation": operation, "outcome": "failed", "note": traceback.format_exc()}
            print(json.dumps(found), flush=True)

        return run

    def end(self):
        """Ends the process."""
        sys.exit(1 if self.failed else 0)


def refused(work, words):
    """Fails unless the work fails with these words."""
    try:
        work()
    except Exception as failure:
        if words in f"{type(failure).__name__}: {failure}":
            return
        raise
    raise AssertionError(f"it is not refused, expected: {words}")


def same(found, expected, what):
    """Fails unless the two are equal."""
    assert found == expected, f"{what}: found {found!r}, expected {expected!r}"
