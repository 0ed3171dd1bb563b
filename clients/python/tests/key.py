"""Prints the public key of a key file: `python key.py FILE PASSWORD`."""

import sys

from billchain import Sm2Key

print(Sm2Key.load(sys.argv[1], sys.argv[2]).public_key().hex())
