#!/usr/bin/env python3
"""Computes docs/zk.md a second time: accumulators, a statement, the table and its constraints.

Written from that document. Compares accumulators and statement with the fixtures of the crates, and
shows of each constraint that there is a forged table which it alone refuses, as the tests of
`billchain-zk` do with the constraints themselves. Both have to count the same constraints.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
P = 2**31 - 2**24 + 1

# --- Poseidon2 -------------------------------------------------------------------------------


def constants() -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for line in (Path(__file__).parent / "constants.txt").read_text().splitlines():
        if not line.startswith("#"):
            name, *words = line.split()
            found.setdefault(name, []).extend(int(word, 16) for word in words)
    return found


ROUNDS = constants()


def inverse(x: int) -> int:
    return pow(x, P - 2, P)


def half(k: int) -> int:
    return inverse(2**k)


DIAGONAL = [-2, 1, 2, half(1), 3, 4, -half(1), -3, -4, half(8), half(3), half(24),
            -half(8), -half(3), -half(4), -half(24)]
BLOCK = [[2, 3, 1, 1], [1, 2, 3, 1], [1, 1, 2, 3], [3, 1, 1, 2]]


def external(state: list[int]) -> list[int]:
    mixed = [sum(BLOCK[i % 4][j] * state[i - i % 4 + j] for j in range(4)) for i in range(16)]
    sums = [sum(mixed[i::4]) for i in range(4)]
    return [(mixed[i] + sums[i % 4]) % P for i in range(16)]


def internal(state: list[int]) -> list[int]:
    total = sum(state)
    return [(total + factor * x) % P for factor, x in zip(DIAGONAL, state)]


def full(state: list[int], part: str, number: int) -> list[int]:
    added = ROUNDS[part][16 * number : 16 * number + 16]
    return external([pow(x + c, 3, P) for x, c in zip(state, added)])


def permute(state: list[int]) -> list[int]:
    state = external(state)
    for number in range(4):
        state = full(state, "initial", number)
    for c in ROUNDS["partial"]:
        state = internal([pow(state[0] + c, 3, P)] + state[1:])
    for number in range(4):
        state = full(state, "final", number)
    return state


# Of Plonky3's own tests.
KNOWN = (
    [894848333, 1437655012, 1200606629, 1690012884, 71131202, 1749206695, 1717947831, 120589055,
     19776022, 42382981, 1831865506, 724844064, 171220207, 1299207443, 227047920, 1783754913],
    [1934285469, 604889435, 133449501, 1026180808, 1830659359, 176667110, 1391183747, 351743874,
     1238264085, 1292768839, 2023573270, 1201586780, 1360691759, 1230682461, 748270449, 651545025],
)

# --- the accumulator -------------------------------------------------------------------------


def numbers(data: bytes, size: int) -> list[int]:
    return [int.from_bytes(data[i : i + size], "little") for i in range(0, len(data), size)]


IV = (numbers("财票链累加器1".encode(), 3) + [0, 0])[:8]


def compress(chain: list[int], block: list[int]) -> list[int]:
    return [(x + h) % P for x, h in zip(permute(chain + block), chain)]


def empty(reference: bytes) -> list[int]:
    limbs = numbers(reference, 2)
    return compress(compress(IV, limbs[:8]), limbs[8:])


def entry(bill: tuple, content_hash: bytes) -> list[int]:
    days, scene, amount, kind, change = bill
    salt = [x % 2**30 for x in numbers(content_hash[:12], 4)]
    return [days, scene, amount % 2**24, amount >> 24, 1 + 2 * change + 4 * kind] + salt


def secret(data: bytes) -> list[int]:
    words = [x % P for x in numbers(data[:28], 4)]
    return words[:4] + [64] + words[4:]


def digest(elements: list[int]) -> bytes:
    return b"".join(x.to_bytes(4, "little") for x in elements)


# --- the table -------------------------------------------------------------------------------

ROWS, WIDTH = 24, 238
INITIAL, PARTIAL, FINAL = range(16, 80), range(80, 100), range(100, 148)
ENTRY, KIND, REVERSED = 148, range(149, 153), 153
COMPARISONS = [(154, 10), (165, 10), (176, 12), (189, 12), (202, 12), (215, 12)]
PRODUCTS, INVERSE, IN_SCENES, IN_RANGES, MATCHES, COUNT = range(228, 233), 233, 234, 235, 236, 237
FROM, TO, SCENES, LEAST, MOST, KINDS = 20_000, 20_364, [3, 5, 700], 500_000, 10**14 - 1, 0b0101
REFERENCE, SECRET, HASH = bytes([7] * 32), bytes([9] * 32), bytes([0x5A] * 32)

MATCHING = (20_100, 3, 600_000, 0, 0)
ELSEWHERE = (20_100, 9, 600_000, 0, 0)
BASE = [MATCHING, MATCHING, ELSEWHERE, (20_100, 3, 600_000, 0, 1), (20_100, 9, 600_000, 1, 0), MATCHING]


def differences(days: int, amount: int) -> list[int]:
    def halves(x: int) -> tuple[int, int]:
        return x % 2**24, x >> 24

    (low, high), (least, least_high), (most, most_high) = map(halves, (amount, LEAST, MOST))
    return [days - FROM, TO - days, low - least, high - least_high - (low < least),
            most - low, most_high - high - (most < low)]


def public_values(minimum: int) -> list[int]:
    values = [0] * 16 + [FROM, TO, LEAST % 2**24, LEAST >> 24, MOST % 2**24, MOST >> 24]
    values += [KINDS >> kind & 1 for kind in range(4)] + [0]
    values += SCENES + SCENES[:1] * (16 - len(SCENES))
    return values + [int(minimum == 0), minimum]


def block(row: int, entries: list[tuple]) -> list[int]:
    limbs = numbers(REFERENCE, 2)
    if row < 3:
        return [limbs[:8], limbs[8:], secret(SECRET)][row]
    return entry(entries[row - 3], HASH) if row - 3 < len(entries) else [0] * 8


def write_row(row: int, chain: list[int], count: int, entries: list[tuple], public: list[int], hand):
    cells = [0] * WIDTH

    def put(column: int, value: int) -> int:
        cells[column] = hand(row, column, value % P) % P
        return cells[column]

    for i, value in enumerate(chain + block(row, entries)):
        put(i, value)
    state = external(cells[:16])
    for number in range(4):
        state = [put(16 + 16 * number + i, x) for i, x in enumerate(full(state, "initial", number))]
    for number, c in enumerate(ROUNDS["partial"]):
        state = internal([put(80 + number, pow(state[0] + c, 3, P))] + state[1:])
    for number in range(4):
        state = full(state, "final", number)
        if number < 3:
            state = [put(100 + 16 * number + i, x) for i, x in enumerate(state)]
    bill = entries[row - 3] if 0 <= row - 3 < len(entries) else None
    put(ENTRY, bill is not None)
    for kind, column in enumerate(KIND):
        put(column, bill is not None and bill[3] == kind)
    put(REVERSED, bill is not None and bill[4])
    sums = [0] * 6
    if bill:
        sums = [d + 4**digits for d, (_, digits) in zip(differences(bill[0], bill[2]), COMPARISONS)]
    elif row == ROWS - 1 and public[44]:
        surplus = (count - public[44]) % P
        sums[0] = surplus if surplus < 4**10 else 0
    for (flag, digits), value in zip(COMPARISONS, sums):
        put(flag, value >> 2 * digits)
        for j in range(digits):
            put(flag + 1 + j, value >> 2 * j & 3)
    put(IN_RANGES, cells[154] * cells[165] * cells[189] * cells[215] if bill else 0)
    product = cells[9] - public[27]
    for j, column in enumerate(PRODUCTS):
        for scene in public[28 + 3 * j : 31 + 3 * j]:
            product *= cells[9] - scene
        product = put(column, product)
    put(INVERSE, inverse(product))
    put(IN_SCENES, product == 0)
    kinds = sum(cells[column] * public[22 + i] for i, column in enumerate(KIND))
    put(MATCHES, cells[IN_RANGES] * (public[26] + (1 - public[26]) * cells[IN_SCENES]) * kinds)
    put(COUNT, count)
    steps = (row < 2) + cells[ENTRY]
    chain = [(h + steps * x) % P for h, x in zip(cells, state[:8])]
    return cells, chain, (cells[COUNT] + cells[MATCHES] * (1 - 2 * cells[REVERSED])) % P


def constraints(row: int, here: list[int], after: list[int], public: list[int]) -> list[int]:
    """What must be zero, in the order of the document's table of constraints."""
    zeros = []
    first, last, on = row == 0, row == ROWS - 1, row != ROWS - 1
    holder = row == 2
    state = external(here[:16])
    for number in range(4):
        kept = here[16 + 16 * number : 32 + 16 * number]
        zeros += [x - y for x, y in zip(full(state, "initial", number), kept)]
        state = kept
    for number, c in enumerate(ROUNDS["partial"]):
        zeros.append(pow(state[0] + c, 3, P) - here[80 + number])
        state = internal([here[80 + number]] + state[1:])
    for number in range(4):
        state = full(state, "final", number)
        if number < 3:
            kept = here[100 + 16 * number : 116 + 16 * number]
            zeros += [x - y for x, y in zip(state, kept)]
            state = kept
    steps = (row < 2) + here[ENTRY]
    for i in range(8):
        zeros += [first * (here[i] - IV[i]), on * (after[i] - here[i] - steps * state[i]),
                  last * (here[i] - public[i]), holder * (here[i] + state[i] - public[8 + i])]
    is_entry, reversal = here[ENTRY], here[REVERSED]
    zeros += [holder * (here[12] - 64), is_entry * (is_entry - 1), first * is_entry, last * is_entry,
              on * after[ENTRY] * (1 - holder - is_entry)]
    zeros += [here[column] * (here[column] - 1) for column in KIND]
    number = sum(kind * here[column] for kind, column in enumerate(KIND))
    zeros += [sum(here[column] for column in KIND) - is_entry, reversal * (reversal - 1),
              is_entry * (here[12] - 1 - 2 * reversal - 4 * number)]
    for flag, digits in COMPARISONS:
        zeros.append(here[flag] * (here[flag] - 1))
        zeros += [d * (d - 1) * (d - 2) * (d - 3) for d in here[flag + 1 : flag + 1 + digits]]

    def read(flag: int, digits: int) -> int:
        return sum(here[flag + 1 + j] << 2 * j for j in range(digits))

    compared = [here[8] - public[16], public[17] - here[8], here[10] - public[18],
                here[11] - public[19] - (1 - here[176]), public[20] - here[10],
                public[21] - here[11] - (1 - here[202])]
    for (flag, digits), difference in zip(COMPARISONS, compared):
        number = here[flag] * 4**digits + read(flag, digits)
        zeros.append(is_entry * (difference + 4**digits - number))
    zeros.append(here[IN_RANGES] - here[154] * here[165] * here[189] * here[215])
    product = here[9] - public[27]
    for j, column in enumerate(PRODUCTS):
        for scene in public[28 + 3 * j : 31 + 3 * j]:
            product *= here[9] - scene
        zeros.append(here[column] - product)
        product = here[column]
    zeros += [here[IN_SCENES] + product * here[INVERSE] - 1, here[IN_SCENES] * product]
    kinds = sum(here[column] * public[22 + i] for i, column in enumerate(KIND))
    scene = public[26] + (1 - public[26]) * here[IN_SCENES]
    counted = here[COUNT] + here[MATCHES] * (1 - 2 * reversal)
    zeros += [here[MATCHES] - here[IN_RANGES] * scene * kinds, first * here[COUNT],
              on * (after[COUNT] - counted), last * public[43] * here[COUNT],
              last * (1 - public[43]) * (here[COUNT] - public[44] - read(*COMPARISONS[0]))]
    return [zero % P for zero in zeros]


# --- forged tables ---------------------------------------------------------------------------


def breaks(cells: dict, minimum: int = 1, entries: list = BASE, other: int | None = None):
    """The constraints that a table breaks, and how many there are."""
    def hand(row: int, column: int, value: int) -> int:
        change = cells.get((row, column))
        return value if change is None else change(value) if callable(change) else change

    public, table, chain, count = public_values(minimum), [], IV, 0
    for row in range(ROWS):
        written, chain, count = write_row(row, chain, count, entries, public, hand)
        table.append(written)
    public[:8] = table[-1][:8]
    public[8:16] = compress(table[2][:8], table[2][8:16])
    if other is not None:
        public[other] += 1
    broken, number = set(), 0
    for row in range(ROWS):
        zeros = constraints(row, table[row], table[(row + 1) % ROWS], public)
        broken |= {i for i, zero in enumerate(zeros) if zero}
        number = len(zeros)
    return broken, number


def more(value: int) -> int:
    return value + 1


def compared(row: int, days: int, amount: int) -> dict:
    cells = {}
    for (flag, digits), difference in zip(COMPARISONS, differences(days, amount)):
        value = difference + 4**digits
        cells[row, flag] = value >> 2 * digits
        cells.update({(row, flag + 1 + j): value >> 2 * j & 3 for j in range(digits)})
    return cells


def forgeries() -> list[tuple[str, dict, dict]]:
    matching, red, bare, last = 3, 7, 20, 8
    ones = [(f"permutation {c}", (matching, c)) for c in [*INITIAL, *PARTIAL, *FINAL]]
    ones += [(f"IV {c}", (0, c)) for c in range(8)] + [(f"step {c}", (5, c)) for c in range(8)]
    ones += [(f"product {c}", (red, c)) for c in PRODUCTS]
    ones += [("secret", (2, 12)), ("head", (red, 12)), ("ranges", (red, IN_RANGES)),
             ("match", (red, MATCHES)), ("first count", (0, COUNT)), ("count", (bare, COUNT))]
    made = [(name, {at: more}, {}) for name, at in ones]
    made += [(f"public value {i}", {}, {"other": i}) for i in range(16)]
    made.append(("twice", {(last, ENTRY): 2, (last, 12): 17, (last, 9): 9, (last, 149): 0,
                           (last, 150): 1, (last, 152): 1}, {}))

    def put(row: int, days: int, amount: int) -> dict:
        return {(row, ENTRY): 1, (row, 149): 1, (row, 12): 1, **compared(row, days, amount)}

    made.append(("first row", put(0, 0x707, 0x707 + (0x707 << 24)), {}))
    made.append(("gap", put(bare, 0, 0), {}))
    made.append(("last row", {}, {"minimum": 0, "entries": [ELSEWHERE] * (ROWS - 3)}))
    for kind in range(4):
        a, b, c = (other for other in range(4) if other != kind)
        cells = {(red, 149 + kind): -1, (red, 149 + a): 1, (red, 149 + b): 1, (red, 149 + c): 0,
                 (red, 12): 1 + 4 * (a + b - kind)}
        made.append((f"kind {kind}", cells, {}))
    made.append(("no kind", {(red, 150): 0, (red, 12): 1}, {}))
    made.append(("reversed twice", {(red, REVERSED): 2, (red, 12): 9}, {}))
    made.append(("in scenes", {(red, IN_SCENES): 1, (red, INVERSE): 0}, {}))
    made.append(("not in scenes", {(matching, IN_SCENES): 0}, {}))
    for flag, digits in COMPARISONS:
        made.append((f"flag {flag}", {(bare, flag): 2}, {}))
        made += [(f"digit {c}", {(bare, c): 7}, {}) for c in range(flag + 1, flag + 1 + digits)]
        made.append((f"difference {flag}", {(red, flag + 1): lambda d: (d + 1) % 4}, {}))
    return made + [("none", {}, {"minimum": 0}), ("at least five", {}, {"minimum": 5})]


def fixtures() -> list[tuple[str, bool]]:
    bill = (20_000, 3, 1_234_567_890, 0, 0)
    values = {"empty": empty(REFERENCE)}
    values["one"] = compress(values["empty"], entry(bill, HASH))
    values["two"] = compress(values["one"], entry((*bill[:4], 1), HASH))
    values["holder"] = compress(values["empty"], secret(SECRET))
    text = "".join(f"{name} {digest(value).hex()}\n" for name, value in values.items())
    accumulator = compress(values["empty"], entry(MATCHING, HASH))

    def little(size: int, *values: int) -> bytes:
        return b"".join(value.to_bytes(size, "little") for value in values)

    statement = (b"\x01" + little(4, 1000) + bytes([3] * 32) + digest(accumulator)
                 + digest(values["holder"]) + little(4, FROM, TO) + little(8, LEAST, MOST)
                 + bytes([KINDS, len(SCENES)]) + little(2, *SCENES).ljust(32, b"\0")
                 + b"\x01" + little(4, 1) + bytes([1] * 32) + bytes([2] * 32))
    return [
        ("permutation", permute(KNOWN[0]) == KNOWN[1]),
        ("accumulators", text == (ROOT / "zk/accumulator/tests/accumulator.txt").read_text()),
        ("statement", statement.hex() + "\n" == (ROOT / "zk/src/tests/statement.txt").read_text()),
    ]


def main() -> int:
    checks = fixtures()
    broken, number = breaks({})
    checks.append(("honest table", not broken))
    refused = set()
    for name, cells, other in forgeries():
        broken, _ = breaks(cells, **other)
        refused |= broken
        checks.append((f"forgery: {name}", len(broken) == 1))
    checks.append(("each constraint has its forgery", refused == set(range(number))))
    source = (ROOT / "zk/src/tests/constraints.rs").read_text()
    sum_of = re.search(r"const CONSTRAINTS: usize = ([0-9+ ]+);", source)
    counted = sum(int(term) for term in sum_of[1].split("+")) if sum_of else 0
    checks.append((f"{number} constraints, as the crate has", counted == number))
    failed = [name for name, holds in checks if not holds]
    for name in failed:
        print(f"FAILED: {name}")
    print(f"{len(checks) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
