"""Calls as the bytes that are signed: SCALE, by the chain's own description of its types.

A value has the form that `transaction_prepare` takes: objects of fields, names of variants,
bytes and accounts as 0x hex, texts as text, numbers as numbers (docs/transactions.md).
"""

import json
import re
from importlib import resources

from .errors import FormError

MAX_DEPTH = 64
INTEGERS = {f"{sign}{bits}": (sign, bits // 8) for sign in "ui" for bits in (8, 16, 32, 64, 128)}


def compact(number):
    """A compact number."""
    if number < 1 << 6:
        return bytes([number << 2])
    if number < 1 << 14:
        return (number << 2 | 1).to_bytes(2, "little")
    if number < 1 << 30:
        return (number << 2 | 2).to_bytes(4, "little")
    length = -(-number.bit_length() // 8)
    return bytes([(length - 4) << 2 | 3]) + number.to_bytes(length, "little")


def snake_case(name):
    """A variant's name as the answers of methods have it."""
    return re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower()


class Codec:
    """Encodes calls by a table of types."""

    def __init__(self, table):
        self.table = table
        self.types = {int(key): value for key, value in table["types"].items()}
        self.pallets = {pallet["name"]: pallet for pallet in table["pallets"]}

    @classmethod
    def own(cls):
        """That of the rules for which this package was made."""
        text = resources.files(__package__).joinpath("chain.json").read_text("utf-8")
        return cls(json.loads(text))

    def call(self, value, place="call", depth=0):
        """A call: pallet, call and args."""
        if not isinstance(value, dict) or set(value) - {"pallet", "call", "args"}:
            raise FormError(place, "an object of pallet, call and args", value)
        pallet = self.pallets.get(value.get("pallet"))
        if pallet is None or not pallet["calls"]:
            raise FormError(f"{place}.pallet", f"one of {', '.join(self.pallets)}", value.get("pallet"))
        names = {call["name"]: call for call in pallet["calls"]}
        call = names.get(value.get("call"))
        if call is None:
            raise FormError(f"{place}.call", f"one of {', '.join(names)}", value.get("call"))
        head = bytes([pallet["index"], call["index"]])
        return head + self.named(call["fields"], value.get("args", {}), f"{place}.args", depth + 1)

    def value(self, number, value, place, depth):
        """A value of a type."""
        if depth > MAX_DEPTH:
            raise FormError(place, f"at most {MAX_DEPTH} levels", value)
        kind = self.types[number]
        if kind["kind"] == "text":
            if not isinstance(value, str):
                raise FormError(place, "text", value)
            return self.counted(value.encode("utf-8"), kind["length"], place, value, "of text")
        if kind["kind"] == "call":
            return self.call(value, place, depth)
        return getattr(self, "a_" + kind["kind"])(kind, value, place, depth + 1)

    def counted(self, data, length, place, value, what):
        """Bytes, whose number comes first where it varies."""
        if length is None:
            return compact(len(data)) + data
        if len(data) != length:
            raise FormError(place, f"{length} bytes {what}", value)
        return data

    def a_primitive(self, kind, value, place, _):
        name = kind["name"]
        if name == "bool":
            if not isinstance(value, bool):
                raise FormError(place, "true or false", value)
            return bytes([value])
        if name == "str":
            if not isinstance(value, str):
                raise FormError(place, "text", value)
            data = value.encode("utf-8")
            return compact(len(data)) + data
        sign, length = INTEGERS[name]
        low = -(1 << 8 * length - 1) if sign == "i" else 0
        high = (1 << 8 * length - (sign == "i")) - 1
        if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,40}", value):
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise FormError(place, f"a whole number from {low} to {high}", value)
        return value.to_bytes(length, "little", signed=sign == "i")

    def a_compact(self, kind, value, place, depth):
        data = self.value(kind["type"], value, place, depth)
        return compact(int.from_bytes(data, "little")) if data else b""

    def a_option(self, kind, value, place, depth):
        if value is None:
            return b"\x00"
        return b"\x01" + self.value(kind["type"], value, place, depth)

    def a_account(self, _, value, place, depth):
        if not isinstance(value, str) or not re.fullmatch(r"0x[0-9a-fA-F]{64}", value):
            raise FormError(place, "an account: 32 bytes as 0x hex", value)
        return bytes.fromhex(value[2:])

    def a_composite(self, kind, value, place, depth):
        return self.fields(kind["fields"], value, place, depth)

    def a_variant(self, kind, value, place, depth):
        names = ", ".join(variant["name"] for variant in kind["variants"])
        content = None
        if isinstance(value, dict) and len(value) == 1:
            (name, content), = value.items()
        else:
            name = value
        found = [variant for variant in kind["variants"]
                 if isinstance(name, str) and name in (variant["name"], snake_case(variant["name"]))]
        if not found:
            raise FormError(place, f"one of {names}", value)
        variant, index = found[0], bytes([found[0]["index"]])
        if not isinstance(value, dict):
            if variant["fields"]:
                raise FormError(place, f"an object of {name} and its fields", value)
            return index
        return index + self.fields(variant["fields"], content, f"{place}.{name}", depth)

    def a_list(self, kind, value, place, depth):
        of = self.types[kind["type"]]
        if of["kind"] == "primitive" and of["name"] == "u8":
            if isinstance(value, (bytes, bytearray)):
                value = "0x" + bytes(value).hex()
            if not isinstance(value, str) or not re.fullmatch(r"0x([0-9a-fA-F]{2})*", value):
                raise FormError(place, "bytes as 0x hex", value)
            return self.counted(bytes.fromhex(value[2:]), kind["length"], place, value, "as 0x hex")
        if not isinstance(value, (list, tuple)):
            raise FormError(place, "a list", value)
        if kind["length"] not in (None, len(value)):
            raise FormError(place, f"{kind['length']} entries", value)
        head = b"" if kind["length"] is not None else compact(len(value))
        return head + b"".join(self.value(kind["type"], one, f"{place}.{at}", depth)
                               for at, one in enumerate(value))

    def a_tuple(self, kind, value, place, depth):
        return self.tuple(kind["types"], value, place, depth)

    def tuple(self, types, value, place, depth):
        """Values that have no names."""
        if not types and value is None:
            return b""
        if not isinstance(value, (list, tuple)) or len(value) != len(types):
            raise FormError(place, f"a list of {len(types)}", value)
        return b"".join(self.value(number, one, f"{place}.{at}", depth)
                        for at, (number, one) in enumerate(zip(types, value)))

    def fields(self, fields, value, place, depth):
        """Fields in the form that they have together."""
        if len(fields) == 1 and not fields[0].get("name"):
            return self.value(fields[0]["type"], value, place, depth)
        if fields and all(field.get("name") for field in fields):
            return self.named(fields, value, place, depth)
        return self.tuple([field["type"] for field in fields], value, place, depth)

    def named(self, fields, value, place, depth):
        """Fields with names."""
        names = [field["name"] for field in fields]
        if not isinstance(value, dict):
            raise FormError(place, f"an object of {', '.join(names)}", value)
        unknown = set(value) - set(names)
        if unknown:
            raise FormError(place, f"an object of {', '.join(names)}", sorted(unknown)[0])
        return b"".join(self.value(field["type"], value.get(field["name"]),
                                   f"{place}.{field['name']}", depth) for field in fields)
