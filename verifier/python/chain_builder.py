"""Builds small logs, tries, chains and certificates from the document, for the tests only."""

import billchain_sm as sm
from billchain_sm import sm3

BILL_PREFIX = bytes.fromhex("ddb7897921bdbb763063486812cab6446c7ac72eab834650c453b02faab9a4c6")


# --- A signer, for the tests only ---

def compress(secret):
    """The compressed key of a secret."""
    x, y = sm.affine(sm.twin_multiply(secret, sm.G, 0, sm.G))
    return bytes([2 + (y & 1)]) + x.to_bytes(32, "big")


def sign(secret, message, nonce=None):
    """An SM2 signature r and s; the nonce is derived if none is given."""
    e = sm.sm2_hash(sm.decompress(compress(secret)), message)
    k = nonce or int.from_bytes(sm3(secret.to_bytes(32, "big"), message), "big") % sm.N
    r = (e + sm.affine(sm.twin_multiply(k, sm.G, 0, sm.G))[0]) % sm.N
    s = pow(1 + secret, -1, sm.N) * (k - r * secret) % sm.N
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


# --- Encodings, straight from the document ---

def u(size, value):
    """A number, the highest byte first."""
    return value.to_bytes(size, "big")


def le(size, value):
    """A number, the lowest byte first."""
    return value.to_bytes(size, "little", signed=value < 0)


def compact(value):
    """Any compact number in its shortest form."""
    if value < 1 << 6:
        return le(1, value << 2)
    if value < 1 << 14:
        return le(2, value << 2 | 1)
    if value < 1 << 30:
        return le(4, value << 2 | 2)
    length = (value.bit_length() + 7) // 8
    return le(1, (length - 4) << 2 | 3) + le(length, value)


def text(data):
    """A `text`."""
    return compact(len(data)) + data


def chunk(data):
    """A `bytes`."""
    return u(2, len(data)) + data


# --- A log of operations ---

class Log:
    """A log with its nodes computed by recursion from the document's definitions."""

    def __init__(self, operations, active):
        self.operations, self.active, self.cache = operations, active, {}
        self.peaks, first, rest = [], 0, len(operations)
        while rest:
            height = rest.bit_length() - 1
            self.peaks.append((first, height))
            first, rest = first + (1 << height), rest - (1 << height)

    def bits(self, k):
        """The activity bits of a chunk."""
        found = bytearray(32)
        for i in range(256 * k, min(256 * k + 256, len(self.operations))):
            if self.active[i]:
                found[i % 256 // 8] |= 1 << i % 8
        return bytes(found)

    def position(self, first, height):
        """The position of a node."""
        return 2 * first - bin(first).count("1") + 2 ** (height + 1) - 2

    def node(self, first, height, graft=True):
        """A node, grafted or not."""
        if (first, height, graft) not in self.cache:
            at = u(8, self.position(first, height))
            if height == 0:
                digest = sm3(at, self.operations[first])
            else:
                half = 1 << height - 1
                digest = sm3(at, self.node(first, height - 1, graft),
                             self.node(first + half, height - 1, graft))
            if graft and height == 8 and any(self.bits(first // 256)):
                digest = sm3(self.bits(first // 256), digest)
            self.cache[first, height, graft] = digest
        return self.cache[first, height, graft]

    def range(self, q, graft):
        """The digest over all peaks."""
        peaks = [self.node(first, height, graft) for first, height in self.peaks]
        split = q or 1
        folded = front(peaks[:split])
        if peaks[split:]:
            folded = sm3(folded, back(peaks[split:]))
        return sm3(b"\x00\x01", u(8, len(self.operations)), u(8, q) if q else b"", folded)

    def root(self, q):
        """The log's commitment, with q inactive peaks."""
        n = len(self.operations)
        last = [u(8, n % 256), sm3(self.bits(n // 256))] if n % 256 else []
        return sm3(self.range(q, False), self.range(q, True), *last)

    def proof(self, place, q):
        """The operation proof."""
        n = len(self.operations)
        out = [u(8, place), u(8, n), u(1, q), self.range(q, False), self.bits(place // 256)]
        if n % 256:
            out.append(sm3(self.bits(n // 256)))
        b = [i for i, (first, _) in enumerate(self.peaks) if first <= place][-1]
        for level in range(self.peaks[b][1]):
            out.append(self.node((place >> level ^ 1) << level, level))
        peaks = [self.node(first, height) for first, height in self.peaks]
        before, after = peaks[:b], peaks[b + 1:]
        m = min(q, len(before))
        out += ([front(before[:m])] if m else []) + before[m:]
        m = min(len(after), max(0, q - b - 1))
        return b"".join(out + after[:m] + ([back(after[m:])] if after[m:] else []))


def front(peaks):
    """The front fold."""
    return peaks[0] if len(peaks) == 1 else sm3(front(peaks[:-1]), peaks[-1])


def back(peaks):
    """The back fold."""
    return peaks[0] if len(peaks) == 1 else sm3(peaks[0], back(peaks[1:]))


# --- A trie ---

def trie(entries, path, key=()):
    """Encodes a trie of (digits, value) and puts the nodes on the way to `key` into `path`."""
    digits = [list(name) for name, _ in entries]
    count = 0
    while all(len(d) > count and d[count] == digits[0][count] for d in digits):
        count += 1
    common = digits[0][:count]
    at = path is not None and list(key[:count]) == common
    value = [content for name, content in entries if len(name) == count]
    below = [(name, content) for name, content in entries if len(name) > count]
    on_way, bitmap, children = [], 0, b""
    for digit in range(16):
        own = [(name[count + 1:], content) for name, content in below if name[count] == digit]
        if own:
            bitmap |= 1 << digit
            way = on_way if at and len(key) > count and key[count] == digit else None
            child = trie(own, way, key[count + 1:])
            children += text(sm3(child) if len(child) >= 32 else child)
    encoded = (trie_start(count, value, bool(below)) + nibbles(common)
               + (le(2, bitmap) if below else b"") + trie_value(value) + children)
    if path is not None:
        path.append(encoded)
        path += [node for node in on_way if len(node) >= 32]
    return encoded


def trie_start(count, value, branch):
    """The first byte of a node."""
    if value and len(value[0]) > 32:
        return u(1, (0x10 if branch else 0x20) + count)
    return u(1, ((0xC0 if value else 0x80) if branch else 0x40) + count)


def trie_value(value):
    """The value of a node."""
    if not value:
        return b""
    return sm3(value[0]) if len(value[0]) > 32 else text(value[0])


def nibbles(digits):
    """Digits, two a byte, filled up in front."""
    digits = [0] * (len(digits) % 2) + digits
    return bytes(a << 4 | b for a, b in zip(digits[::2], digits[1::2]))


def split_digits(data):
    """The digits of bytes."""
    return tuple(int(digit, 16) for digit in data.hex())


def transactions(values):
    """Entries of a trie over the encoded transactions of a block."""
    return [(split_digits(compact(i)), value) for i, value in enumerate(values)]


# --- A chain ---

SECRETS = [1001, 1002, 1003, 1004]


def validators(secrets, before, powers=None):
    """The item that tells who decides."""
    powers = powers or [1] * len(secrets)
    rows = b"".join(compress(secret) + le(8, power) for secret, power in zip(secrets, powers))
    return b"\x04BCVS" + text(le(4, before) + compact(len(secrets)) + rows)


def header(number, items=(), state=bytes(32), root=bytes(32)):
    """An encoded header."""
    return bytes(32) + compact(number) + state + root + compact(len(items)) + b"".join(items)


GENESIS = header(0, [validators(SECRETS[:1], 0)])


def decided(encoded, number, secrets, turn=0, places=None, genesis=GENESIS):
    """A decided header."""
    places = range(len(secrets)) if places is None else places
    out = chunk(encoded) + u(4, turn) + u(1, len(places))
    for place in places:
        message = (b"billchain/consensus/1" + sm3(genesis) + b"\x02" + le(8, number) + b"\x01"
                   + le(4, turn) + b"\x01" + sm3(encoded) + sm3(compress(secrets[place])))
        out += u(1, place) + sign(secrets[place], message)
    return out


def certificate(kind, head, body, changes=(), genesis=GENESIS, start=None):
    """A whole certificate, which starts at the block with this header, or at the genesis."""
    begin = u(1, 0) if start is None else u(1, 1) + chunk(start)
    return (b"BCPF\x01" + u(1, kind) + chunk(genesis) + begin + u(2, len(changes))
            + b"".join(changes) + head + body)


NAME = b"12345678" + b"0123456789"
VERSION_BEFORE = sm3(b"the version before")


def version_head(block, place):
    """The head of a version."""
    where = b"\x00" if place is None else b"\x01" + le(4, place)
    return (NAME + le(4, 3) + le(4, block) + where + le(8, 1700) + sm3(b"content")
            + b"\x01" + sm3(b"changed"))


def bill(block, place):
    """An encoded bill with all that it can have."""
    lock = (text(b"did:bill:holder") + b"\x00" + le(2, 7) + text(b"claim 1") + b"\x01" + sm3(b"g")
            + le(4, 2) + le(4, 1) + b"\x01" + le(4, 0) + le(8, 1600) + b"\x01" + le(8, 9000)
            + b"\x01")
    return (NAME + b"a1b2c3" + b"\x00" + le(4, 20240131) + le(4, 93005) + le(8, -12345)
            + text(b"did:bill:issuer") + b"91110000123456789X" + b"\x01"
            + sm3(b"payer") + le(2, 258) + sm3(b"no") + sm3(b"xml") + sm3(b"pdf")
            + bytes(32) + b"\x01" + b"9" * 18 + b"\x02" + le(4, 3)
            + sm3(VERSION_BEFORE, version_head(block, place)) + b"\x01" + lock
            + compact(1) + text(b"did:bill:insurer") + le(2, 9) + le(8, 500) + b"\x01"
            + le(8, 1700) + b"\x01" + compact(70) + compact(1) + b"\x00")


def group_of(*keys):
    """A group as a certificate has it, of last digits and digests of values."""
    return u(1, len(keys)) + b"".join(last + value for last, value in keys)


def state_of(raw, size=300, place=297, q=1):
    """A log that holds a bill; gives the state root and the body's part on the state."""
    after, keys = sm3(b"next"), group_of((b"0", sm3(b"another")), (NAME[17:], sm3(raw)))
    operations = [b"\xd2" + bytes([i % 256]) * 96 for i in range(size)]
    operations[place] = b"\xd2" + sm3(BILL_PREFIX, NAME[:17]) + sm3(keys[1:]) + after
    log = Log(operations, [i % 3 == 0 for i in range(size)])
    return log.root(q), keys + after + log.proof(place, q)


def present(block, place, where, head_number=9, earlier=b"", path=b"", root=bytes(32)):
    """A certificate of a bill."""
    raw = bill(block, place)
    state, proof = state_of(raw)
    head = decided(header(head_number, (), state, root), head_number, SECRETS[:1])
    body = (chunk(raw) + proof + VERSION_BEFORE + chunk(version_head(block, place))
            + u(1, where) + earlier + path)
    return certificate(1, head, body)


def block_path(values, place):
    """Root of a block's transactions and the path of one."""
    nodes = []
    root = sm3(trie(transactions(values), nodes, split_digits(compact(place))))
    return root, u(1, len(nodes)) + b"".join(map(chunk, nodes))


def absent(before, after, name=NAME, active=True, q=0):
    """A certificate that there is no bill."""
    operations = [b"\xd2" + bytes([i]) * 96 for i in range(5)]
    operations[2] = b"\xd2" + before + sm3(b"value") + after
    log = Log(operations, [False, False, active, True, True])
    head = decided(header(4, (), log.root(q)), 4, SECRETS[:1])
    body = name + b"\x00" + before + sm3(b"value") + after + log.proof(2, q)
    return certificate(2, head, body)


def absent_from(*keys):
    """A certificate that a bill's group, which has these keys, has not the bill."""
    group, after = group_of(*keys), sm3(b"next")
    log = Log([b"\xd2" + sm3(BILL_PREFIX, NAME[:17]) + sm3(group[1:]) + after], [True])
    head = decided(header(4, (), log.root(0)), 4, SECRETS[:1])
    return certificate(2, head, NAME + b"\x01" + group + after + log.proof(0, 0))


# --- A state of any keys ---

class Ledger:
    """A log that holds these values, by key, and what a certificate shows of them."""

    def __init__(self, values, q=1):
        self.values, self.groups, self.q = values, {}, q
        for key in sorted(values):
            last, shared = key[-1:], key[:-1]
            self.groups.setdefault(shared, []).append((last, sm3(values[key])))
        # The groups in their order; older operations, which nobody needs any more, are between.
        self.order = sorted(self.groups, key=sm3)
        operations = []
        for at, shared in enumerate(self.order):
            operations += [b"\xd2" + bytes([at % 256]) * 96, self.operation(at)]
        self.log = Log(operations, [i % 2 == 1 for i in range(len(operations))])
        self.root = self.log.root(q)

    def operation(self, at):
        """The operation of the group at a place of the order."""
        shared = self.order[at]
        return b"\xd2" + sm3(shared) + sm3(self.group(shared)[1:]) + self.after(at)

    def group(self, shared):
        """A group as a certificate has it."""
        return group_of(*self.groups[shared])

    def after(self, at):
        """SM3 of what the keys of the next group share."""
        return sm3(self.order[(at + 1) % len(self.order)])

    def part(self, keys):
        """What is shown of some keys of one group."""
        shared = keys[0][:-1]
        if shared in self.groups:
            at = self.order.index(shared)
            values = b"".join(chunk(self.values[key]) for key in keys if key in self.values)
            return (u(1, 1) + self.group(shared) + self.after(at)
                    + self.log.proof(2 * at + 1, self.q) + values)
        return self.neighbour(shared)

    def neighbour(self, shared):
        """That there is no such group."""
        before = [at for at, other in enumerate(self.order) if sm3(other) < sm3(shared)]
        at = before[-1] if before else len(self.order) - 1
        return u(1, 0) + self.operation(at)[1:] + self.log.proof(2 * at + 1, self.q)


NUMBERS_PREFIX = bytes.fromhex("b6e8d33e59707e1e401e3beccb5f223f642c4dd6c98276f2b8f7658361c29656")
MONTHS_PREFIX = bytes.fromhex("b6e8d33e59707e1e401e3beccb5f223f721e6bc50232d0b68cdcfa6e866c44a2")
CODE = b"12345678"


def plain_bill(number, kind=0, status=1, total=100, date=20240131, issuer=b"did:bill:issuer"):
    """An encoded bill without lock, reimbursements and related bill."""
    return (CODE + b"%010d" % number + b"a1b2c3" + u(1, kind) + le(4, date) + le(4, 93005)
            + le(8, total) + text(issuer) + b"91110000123456789X" + b"\x00" + sm3(b"payer")
            + le(2, 1) + bytes(32) * 4 + b"\x00" + u(1, status) + le(4, 1) + sm3(b"%d" % number)
            + b"\x00" + compact(0) + le(8, 1700) + b"\x00" + compact(7) + compact(1) + b"\x00")


def bill_key(number):
    """The key of a bill."""
    return BILL_PREFIX + CODE + b"%010d" % number


def block_key(number, digits):
    """The key of the block of numbers with so many digits."""
    return NUMBERS_PREFIX + CODE + u(1, digits) + (b"%010d" % number)[:digits]


def month_key(issuer, month):
    """The key of an issuer's month."""
    return MONTHS_PREFIX + text(issuer) + month


def tally(*lines):
    """An encoded tally of (kind, status, bills, fen)."""
    return compact(len(lines)) + b"".join(
        u(1, kind) + u(1, status) + compact(bills) + fen.to_bytes(16, "little", signed=True)
        for kind, status, bills, fen in lines) + sm3(b"mark")


def certified(kind, ledger, body):
    """A certificate of a ledger's state."""
    return certificate(kind, decided(header(9, (), ledger.root), 9, SECRETS[:1]), body)
