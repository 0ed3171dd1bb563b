"""SM3 (GB/T 32905) and the check of SM2 signatures (GB/T 32918.2)."""

import hashlib

MASK = (1 << 32) - 1


# --- SM3 (GB/T 32905) ---

SM3_START = (0x7380166F, 0x4914B2B9, 0x172442D7, 0xDA8A0600,
             0xA96F30BC, 0x163138AA, 0xE38DEE4D, 0xB0FB0E4E)


def rotate(x, n):
    """A 32-bit word, rotated to the left."""
    n %= 32
    return ((x << n) | (x >> (32 - n))) & MASK


SM3_T = [rotate(0x79CC4519 if j < 16 else 0x7A879D8A, j) for j in range(64)]


def sm3_block(state, block):
    """The compression function of SM3."""
    w = [int.from_bytes(block[i:i + 4], "big") for i in range(0, 64, 4)]
    for j in range(16, 68):
        x = w[j - 16] ^ w[j - 9] ^ rotate(w[j - 3], 15)
        w.append(x ^ rotate(x, 15) ^ rotate(x, 23) ^ rotate(w[j - 13], 7) ^ w[j - 6])
    a, b, c, d, e, f, g, h = state
    for j in range(64):
        a12 = rotate(a, 12)
        ss1 = rotate((a12 + e + SM3_T[j]) & MASK, 7)
        if j < 16:
            ff, gg = a ^ b ^ c, e ^ f ^ g
        else:
            ff, gg = (a & b) | (a & c) | (b & c), (e & f) | (~e & g)
        tt1 = (ff + d + (ss1 ^ a12) + (w[j] ^ w[j + 4])) & MASK
        tt2 = (gg + h + ss1 + w[j]) & MASK
        a, b, c, d = tt1, a, rotate(b, 9), c
        e, f, g, h = tt2 ^ rotate(tt2, 9) ^ rotate(tt2, 17), e, rotate(f, 19), g
    return tuple(x ^ y for x, y in zip(state, (a, b, c, d, e, f, g, h)))


def sm3_plain(data):
    """SM3 in plain Python, for where hashlib has none."""
    padded = data + b"\x80" + bytes(-(len(data) + 9) % 64) + (8 * len(data)).to_bytes(8, "big")
    state = SM3_START
    for i in range(0, len(padded), 64):
        state = sm3_block(state, padded[i:i + 64])
    return b"".join(x.to_bytes(4, "big") for x in state)


def choose_sm3():
    """hashlib's SM3 where it is there and right, else the plain one."""
    try:
        if hashlib.new("sm3", b"abc").digest() == sm3_plain(b"abc"):
            return lambda data: hashlib.new("sm3", data).digest()
    except ValueError:
        pass
    return sm3_plain


sm3_digest = choose_sm3()


def sm3(*parts):
    """SM3 of the parts one after the other."""
    return sm3_digest(b"".join(parts))


# --- SM2 (GB/T 32918.2, curve sm2p256v1); points are Jacobian, None is infinity ---

P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
A = P - 3
B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
G = (0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
     0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0, 1)
SIGNER_ID = b"1234567812345678"


def double(p):
    """The point twice (the curve's a is -3)."""
    if p is None or p[1] == 0:
        return None
    x, y, z = p
    zz, yy = z * z % P, y * y % P
    s = 4 * x * yy % P
    m = 3 * (x - zz) * (x + zz) % P
    x3 = (m * m - 2 * s) % P
    return x3, (m * (s - x3) - 8 * yy * yy) % P, 2 * y * z % P


def add(p, q):
    """The sum of two points."""
    if p is None or q is None:
        return p or q
    (x1, y1, z1), (x2, y2, z2) = p, q
    z1z1, z2z2 = z1 * z1 % P, z2 * z2 % P
    u1, u2 = x1 * z2z2 % P, x2 * z1z1 % P
    s1, s2 = y1 * z2 * z2z2 % P, y2 * z1 * z1z1 % P
    if u1 == u2:
        return double(p) if s1 == s2 else None
    h, r = u2 - u1, s2 - s1
    hh = h * h % P
    hhh, v = h * hh % P, u1 * hh % P
    x3 = (r * r - hhh - 2 * v) % P
    return x3, (r * (v - x3) - s1 * hhh) % P, h * z1 * z2 % P


def twin_multiply(a, p, b, q):
    """a times p plus b times q."""
    table = (None, p, q, add(p, q))
    total = None
    for i in range(max(a.bit_length(), b.bit_length()) - 1, -1, -1):
        total = double(total)
        which = (a >> i & 1) | (b >> i & 1) << 1
        if which:
            total = add(total, table[which])
    return total


def affine(p):
    """The coordinates x and y of a point that is not infinity."""
    inverse = pow(p[2], -1, P)
    return p[0] * inverse ** 2 % P, p[1] * inverse ** 3 % P


def decompress(key):
    """The point of a compressed key, or None if it is none of the curve."""
    x = int.from_bytes(key[1:], "big")
    if len(key) != 33 or key[0] not in (2, 3) or x >= P:
        return None
    square = (x * x * x + A * x + B) % P
    y = pow(square, (P + 1) // 4, P)
    if y * y % P != square:
        return None
    return x, (P - y if y & 1 != key[0] & 1 else y), 1


def sm2_hash(point, message):
    """The number e that is signed for the message."""
    numbers = (A, B, G[0], G[1], point[0], point[1])
    z = sm3((8 * len(SIGNER_ID)).to_bytes(2, "big"), SIGNER_ID,
            *(number.to_bytes(32, "big") for number in numbers))
    return int.from_bytes(sm3(z, message), "big")


def sm2_verify(key, message, signature):
    """Whether the signature r and s over the message is the compressed key's."""
    point = decompress(key)
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    if point is None or len(signature) != 64 or not (0 < r < N and 0 < s < N) or (r + s) % N == 0:
        return False
    place = twin_multiply(s, G, (r + s) % N, point)
    return place is not None and (sm2_hash(point, message) + affine(place)[0]) % N == r
