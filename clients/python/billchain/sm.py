"""SM3 and SM2 signatures (GB/T 32905, GB/T 32918.2).

The arithmetic is Python's integers and takes no constant time: who shares a machine with others
keeps keys in a device and gives the client a `Signer` of its own. The number k of a signature is
derived from key and message (RFC 6979 with HMAC-SM3): no bad random source can betray the key.
"""

from billchain_sm import G, N, P, SIGNER_ID, affine, decompress, sm2_hash, sm2_verify, sm3
from billchain_sm import twin_multiply
from cryptography.hazmat.primitives import hashes, hmac

__all__ = ["SIGNER_ID", "compressed", "decompress", "public_point", "sign", "sm2_verify", "sm3"]


def hmac_sm3(key, *parts):
    """HMAC with SM3."""
    mac = hmac.HMAC(key, hashes.SM3())
    for part in parts:
        mac.update(part)
    return mac.finalize()


def public_point(secret):
    """The affine coordinates of a secret number's public key."""
    return affine(twin_multiply(secret, G, 0, None))


def compressed(point):
    """A public key in 33 bytes."""
    return bytes([2 + (point[1] & 1)]) + point[0].to_bytes(32, "big")


def numbers(secret, digest):
    """The numbers k of RFC 6979 for a key and a digest."""
    seed = secret.to_bytes(32, "big") + (digest % N).to_bytes(32, "big")
    v, k = b"\x01" * 32, bytes(32)
    for mark in (b"\x00", b"\x01"):
        k = hmac_sm3(k, v, mark, seed)
        v = hmac_sm3(k, v)
    while True:
        v = hmac_sm3(k, v)
        number = int.from_bytes(v, "big")
        if 0 < number < N:
            yield number
        k = hmac_sm3(k, v, b"\x00")
        v = hmac_sm3(k, v)


def sign(secret, message):
    """r and s over the message, in 64 bytes."""
    e = sm2_hash((*public_point(secret), 1), message)
    for k in numbers(secret, e):
        r = (e + public_point(k)[0]) % N
        if r == 0 or r + k == N:
            continue
        s = pow(1 + secret, -1, N) * (k - r * secret) % N
        if s:
            return r.to_bytes(32, "big") + s.to_bytes(32, "big")
    raise AssertionError("numbers never end")


def of_curve(point):
    """Whether a point's coordinates are on the curve."""
    x, y = point
    found = decompress(bytes([2 + (y & 1)]) + x.to_bytes(32, "big")) if x < P and y < P else None
    return found is not None and found[1] == y
