"""Reads BillChain's key proofs as docs/certificates.md describes them."""

from billchain_scale import Reader, require
from billchain_sm import sm3
from billchain_verifier import read_group, read_operation_proof


def value_of(proof, key, state_root):
    """The value of a key in the state with this root, None if it has none; or raises Refused."""
    require(len(key) > 0, "a key is empty")
    reader, shared, last, value = Reader(proof, "the key proof"), sm3(key[:-1]), key[-1], None
    if reader.choice(("none", "others")) == "others":
        data, group = read_group(reader)
        read_operation_proof(reader, b"\xd2" + shared + sm3(data) + reader.hash(), state_root)
        if last in group:
            value = reader.take(reader.big(4))
            require(sm3(value) == group[last], "the value is not that of its group")
    else:
        before, content, after = reader.hash(), reader.hash(), reader.hash()
        read_operation_proof(reader, b"\xd2" + before + content + after, state_root)
        between = before < shared < after
        around = before >= after and (shared > before or shared < after)
        require(between or around, "the key's group is not between these groups")
    reader.end()
    return value
