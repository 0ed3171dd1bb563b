"""Reads BillChain's key proofs as docs/certificates.md describes them."""

from billchain_scale import Reader, require
from billchain_sm import sm3
from billchain_state import read_place, read_roots


def value_of(proof, key, state_root):
    """The value of a key in the state with this root, None if it has none; or raises Refused."""
    require(len(key) > 0, "a key is empty")
    reader, value = Reader(proof, "the key proof"), None
    digest = read_place(reader, key[:-1], read_roots(reader, state_root)).get(key[-1])
    if digest is not None:
        value = reader.take(reader.big(4))
        require(sm3(value) == digest, "the value is not that of its group")
    reader.end()
    return value
