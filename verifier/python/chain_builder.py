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


# --- A cold part ---

def merkle(tag, contents):
    """The levels of a tree over leaves with these contents."""
    levels = [[sm3(u(1, tag), u(1, 0), u(8, at), content) for at, content in enumerate(contents)]]
    while len(levels[-1]) > 1:
        row = levels[-1]
        levels.append([sm3(u(1, tag), u(1, len(levels)), u(8, at // 2), *row[at:at + 2])
                       if at + 1 < len(row) else row[at] for at in range(0, len(row), 2)])
    return levels


def merkle_root(tag, contents):
    """The root of a tree."""
    return sm3(u(1, tag), b"\xff", u(8, len(contents)), *merkle(tag, contents)[-1])


def merkle_path(tag, contents, a, b):
    """The path of the leaves from `a` to `b`, which is excluded."""
    out = u(8, len(contents)) + u(8, a)
    for row in merkle(tag, contents)[:-1]:
        out += row[a - 1] if a % 2 else b""
        out += row[b] if b % 2 and b < len(row) else b""
        a, b = a // 2, (b + 1) // 2
    return out


class Segment:
    """Groups by shared bytes, each of values by last byte, and the shared bytes of those that are
    no longer active."""

    def __init__(self, groups, left=()):
        self.groups, self.order = groups, sorted(groups)
        self.leaves = [sm3(shared) + sm3(self.group(shared)[1:]) for shared in self.order]
        active = [shared not in left for shared in self.order]
        bits = [sum(bit << place for place, bit in enumerate(active[at:at + 8]))
                for at in range(0, len(active), 8)]
        data = bytes(bits) + bytes(-len(bits) % 64)
        self.chunks = [data[at:at + 64] for at in range(0, len(data), 64)]
        self.active = {shared for shared in self.order if shared not in left}
        self.listed = (chunk(self.order[0]) + merkle_root(0xC1, self.leaves)
                       + merkle_root(0xC2, self.chunks))

    def group(self, shared):
        """A group as a certificate has it."""
        return group_of(*[(last, sm3(value)) for last, value in sorted(self.groups[shared].items())])

    def inclusion(self, shared):
        """The path of a group."""
        at = self.order.index(shared)
        return merkle_path(0xC1, self.leaves, at, at + 1)

    def bit(self, shared):
        """The bits of a group and others."""
        at = self.order.index(shared) // 512
        return self.chunks[at] + merkle_path(0xC2, self.chunks, at, at + 1)

    def exclusion(self, shared):
        """The neighbours of a group that is not there."""
        behind = len([other for other in self.order if other < shared])
        a, b = max(behind - 1, 0), min(behind + 1, len(self.order))
        shown = b"".join(chunk(other) + sm3(self.group(other)[1:]) for other in self.order[a:b])
        return u(1, b - a) + shown + merkle_path(0xC1, self.leaves, a, b)


class Run:
    """Segments whose ranges follow one another."""

    def __init__(self, *segments):
        self.segments = segments
        self.root = merkle_root(0xC3, [segment.listed for segment in segments])

    def find(self, shared):
        """The segment that has the group in its range."""
        return ([None] + [one for one in self.segments if one.order[0] <= shared])[-1]

    def coverage(self, shared):
        """Which segment that is."""
        begun = len([one for one in self.segments if one.order[0] <= shared])
        a, b = max(begun - 1, 0), min(begun + 1, len(self.segments))
        contents = [one.listed for one in self.segments]
        return u(1, b - a) + b"".join(contents[a:b]) + merkle_path(0xC3, contents, a, b)

    def missing(self, shared):
        """Why it does not have the group; of one that it has, as if that were active elsewhere."""
        segment = self.find(shared)
        if segment is None:
            return u(1, 0) + self.coverage(shared)
        if shared not in segment.groups:
            return u(1, 1) + self.coverage(shared) + segment.exclusion(shared)
        return (u(1, 2) + self.coverage(shared) + sm3(segment.group(shared)[1:])
                + segment.inclusion(shared) + segment.bit(shared))

    def place(self, shared, number):
        """That it is the run of this number, and has the group."""
        segment = self.find(shared)
        return (u(1, 2) + segment.group(shared) + u(1, number) + self.coverage(shared)
                + segment.inclusion(shared) + segment.bit(shared))


RECORDS = sm3(b"what the chain records of its runs")


def roots_of(hot, runs=(), records=RECORDS):
    """The roots of which a state root is made, of these runs' roots."""
    return hot + u(1, len(runs)) + b"".join(runs) + records


def root_of(hot, runs=()):
    """The state root that is made of them."""
    return sm3(b"\xc0\x00", hot, sm3(b"\xc0\x01", u(1, len(runs)), *runs, RECORDS))


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
    return (b"BCPF\x02" + u(1, kind) + chunk(genesis) + begin + u(2, len(changes))
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
    """A log that holds a bill; gives the state root, and the roots and the body up to there."""
    after, keys = sm3(b"next"), group_of((b"0", sm3(b"another")), (NAME[17:], sm3(raw)))
    operations = [b"\xd2" + bytes([i % 256]) * 96 for i in range(size)]
    operations[place] = b"\xd2" + sm3(BILL_PREFIX, NAME[:17]) + sm3(keys[1:]) + after
    log = Log(operations, [i % 3 == 0 for i in range(size)])
    hot = log.root(q)
    return root_of(hot), roots_of(hot) + chunk(raw) + u(1, 1) + keys + after + log.proof(place, q)


def present(block, place, where, head_number=9, earlier=b"", path=b"", root=bytes(32)):
    """A certificate of a bill."""
    raw = bill(block, place)
    state, front = state_of(raw)
    head = decided(header(head_number, (), state, root), head_number, SECRETS[:1])
    body = (front + VERSION_BEFORE + chunk(version_head(block, place))
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
    hot = log.root(q)
    head = decided(header(4, (), root_of(hot)), 4, SECRETS[:1])
    body = name + b"\x00" + before + sm3(b"value") + after + log.proof(2, q) + u(1, 0)
    return certificate(2, head, roots_of(hot) + body)


def absent_from(*keys):
    """A certificate that a bill's group, which has these keys, has not the bill."""
    group, after = group_of(*keys), sm3(b"next")
    log = Log([b"\xd2" + sm3(BILL_PREFIX, NAME[:17]) + sm3(group[1:]) + after], [True])
    hot = log.root(0)
    head = decided(header(4, (), root_of(hot)), 4, SECRETS[:1])
    body = roots_of(hot) + NAME + b"\x01" + group + after + log.proof(0, 0)
    return certificate(2, head, body)


# --- A state of any keys ---

class Ledger:
    """A log that holds these values, by key, beside a cold part of these runs, and what a
    certificate shows of them."""

    def __init__(self, values, q=1, runs=()):
        self.values, self.groups, self.q, self.runs = values, {}, q, runs
        for key in sorted(values):
            last, shared = key[-1:], key[:-1]
            self.groups.setdefault(shared, []).append((last, sm3(values[key])))
        # The groups in their order; older operations, which nobody needs any more, are between.
        self.order = sorted(self.groups, key=sm3)
        operations = []
        for at, shared in enumerate(self.order):
            operations += [b"\xd2" + bytes([at % 256]) * 96, self.operation(at)]
        self.log = Log(operations, [i % 2 == 1 for i in range(len(operations))])
        self.hot, self.run_roots = self.log.root(q), [run.root for run in runs]
        self.root, self.roots = (make(self.hot, self.run_roots) for make in (root_of, roots_of))

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
        values = [self.value(key) for key in keys]
        return self.place(shared) + b"".join(chunk(value) for value in values if value is not None)

    def active(self, shared):
        """The numbers of the runs in which a group is active."""
        return [at for at, run in enumerate(self.runs)
                if run.find(shared) is not None and shared in run.find(shared).active]

    def value(self, key):
        """The value of a key, or None."""
        if key in self.values:
            return self.values[key]
        values = [self.runs[at].find(key[:-1]).groups[key[:-1]] for at in self.active(key[:-1])]
        return values[0].get(key[-1:]) if values else None

    def place(self, shared):
        """Where a group is."""
        if shared in self.groups:
            at = self.order.index(shared)
            proof = self.log.proof(2 * at + 1, self.q)
            return u(1, 1) + self.group(shared) + self.after(at) + proof
        for at in self.active(shared):
            return self.runs[at].place(shared, at)
        return self.neighbour(shared)

    def neighbour(self, shared, missing=None):
        """That there is no such group; why the runs do not have it may be forged."""
        before = [at for at, other in enumerate(self.order) if sm3(other) < sm3(shared)]
        at = before[-1] if before else len(self.order) - 1
        missing = [run.missing(shared) for run in self.runs] if missing is None else missing
        return (u(1, 0) + self.operation(at)[1:] + self.log.proof(2 * at + 1, self.q)
                + u(1, len(missing)) + b"".join(missing))


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
    head = decided(header(9, (), ledger.root), 9, SECRETS[:1])
    return certificate(kind, head, ledger.roots + body)
