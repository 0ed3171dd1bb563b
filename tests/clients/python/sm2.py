"""SM2 keys and signatures of the chain, by `gmssl`, for a client that has none."""

import hashlib
from dataclasses import dataclass

from gmssl import sm2

SIGNER_ID = b"1234567812345678"
PARAMETERS = sm2.default_ecc_table
A = int(PARAMETERS["a"], 16)
B = int(PARAMETERS["b"], 16)


def sm3(data):
    return hashlib.new("sm3", data).digest()


@dataclass
class Key:
    """An SM2 key and what it is on the chain."""

    secret: bytes
    point: bytes

    @property
    def public(self):
        """The compressed public key."""
        return bytes([2 + self.point[63] % 2]) + self.point[:32]

    @property
    def account(self):
        """SM3 of the compressed public key."""
        return sm3(self.public)

    def sign(self, payload):
        """The chain's signature of a payload, as it stands in a transaction: variant 16."""
        ends = [A, B, int(PARAMETERS["g"][:64], 16), int(PARAMETERS["g"][64:], 16)]
        curve = b"".join(number.to_bytes(32, "big") for number in ends)
        z = sm3(len(SIGNER_ID * 8).to_bytes(2, "big") + SIGNER_ID + curve + self.point)
        digest = sm3(z + payload)
        crypt = sm2.CryptSM2(private_key=self.secret.hex(), public_key=self.point.hex())
        nonce = hashlib.sha512(self.secret + digest).hexdigest()[:64]
        signature = crypt.sign(digest, nonce)
        return bytes([16]) + self.public + bytes.fromhex(signature)


def development_key(seed):
    """The well-known development key of a text such as `//hospital-1`."""
    secret = sm3(b"BillChain SM2 key from seed, version 1" + bytes(4) + seed.encode())
    crypt = sm2.CryptSM2(private_key=secret.hex(), public_key="")
    return Key(secret, bytes.fromhex(crypt._kg(int(secret.hex(), 16), PARAMETERS["g"])))


def extra(nonce):
    """Immortal, and the nonce, as a compact number below 64."""
    assert nonce < 64
    return bytes([0, nonce << 2])


def payload(chain, call, nonce):
    """What an immortal transaction's signature covers."""
    version = chain.runtime_version.to_bytes(4, "little")
    version += chain.transaction_version.to_bytes(4, "little")
    genesis = bytes.fromhex(chain.get_block_hash(0)[2:])
    return bytes(call.data.data) + extra(nonce) + version + genesis + genesis


def transaction(key, call, nonce, signature):
    """The signed transaction, with its length before it."""
    body = bytes([0x84, 0]) + key.account + signature + extra(nonce) + bytes(call.data.data)
    assert 64 <= len(body) < 1 << 14
    return (len(body) << 2 | 1).to_bytes(2, "little") + body
