#!/usr/bin/env python3
"""Writes the generated parts of the SDKs from one description of the chain.

    ./clients/generate.py            writes them
    ./clients/generate.py --check    fails if one is not what it would write

`description.json` is what `billchain describe` prints: the calls and types of the runtime's
metadata, and the methods of the JSON-RPC as an OpenRPC document. For each language this makes the
types and calls (what a transaction is made of), the answers and methods (what is asked), and
`chain.json`, the table by which the SDK encodes.
"""

import json
import re
import sys
from pathlib import Path

import generate_java
import generate_python
import generate_typescript

HERE = Path(__file__).resolve().parent
# Families of methods that get types and names. Substrate's own are asked by their names.
FAMILIES = ("bill", "participant", "node", "authorization", "allotment", "scene", "permission",
            "policy", "dispute", "validator", "consensus", "upgrade", "cooling", "transaction",
            "connector", "outbox", "subscription", "access")


def snake(name):
    """CamelCase as snake_case."""
    return re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower()


class Chain:
    """The types and calls of the description."""

    def __init__(self, description):
        self.types = {int(key): value for key, value in description["types"].items()}
        self.pallets = [pallet for pallet in description["pallets"] if pallet["calls"]]
        self.names = {}
        self.named = []
        taken = {}
        for number, kind in sorted(self.types.items()):
            if not self.has_name(number):
                continue
            name = kind["path"].rsplit("::", 1)[-1]
            shape = json.dumps(kind, sort_keys=True)
            if name in taken and taken[name] != shape:
                name = "".join(part.title().replace("_", "") for part in kind["path"].split("::")[-2:])
                while name in taken and taken[name] != shape:
                    name += "2"
            if name not in taken:
                self.named.append((name, number))
            taken[name] = shape
            self.names[number] = name

    def has_name(self, number):
        """Whether a type is declared, and not written out where it is used."""
        kind = self.types[number]
        if kind["kind"] == "variant":
            return bool(kind["variants"])
        return kind["kind"] == "composite" and shape(kind["fields"]) == "named"

    def is_bytes(self, kind):
        """Whether a list is bytes."""
        of = self.types[kind["type"]]
        return of["kind"] == "primitive" and of["name"] == "u8"


def shape(fields):
    """How fields are written together: none, one without a name, named, or a tuple."""
    if not fields:
        return "none"
    if len(fields) == 1 and not fields[0].get("name"):
        return "one"
    return "named" if all(field.get("name") for field in fields) else "tuple"


class Rpc:
    """The methods and answers of the description."""

    def __init__(self, openrpc):
        self.schemas, renamed = {}, {}
        for name, schema in openrpc["components"]["schemas"].items():
            # What a page holds names it better than a number that moves.
            if re.fullmatch(r"Page\d*", name):
                renamed[name] = page_name(schema)
        text = json.dumps(openrpc, ensure_ascii=False)
        text = re.sub(r'"#/components/schemas/(Page\d*)"',
                      lambda match: f'"#/components/schemas/{renamed[match[1]]}"', text)
        openrpc = json.loads(text)
        for name, schema in openrpc["components"]["schemas"].items():
            self.schemas[renamed.get(name, name)] = schema
        self.families = {family: [] for family in FAMILIES}
        for method in openrpc["methods"]:
            family, _, name = method["name"].partition("_")
            if family in self.families and name and "x-notification" not in method \
                    and not re.search(r"_v\d+_", method["name"]) and "description" not in method:
                self.families[family].append((name, method))
        self.families = {family: methods for family, methods in self.families.items() if methods}
        self.used = self.reached()

    def reached(self):
        """Names of the schemas that these methods need."""
        found, left = set(), [method for methods in self.families.values() for _, method in methods]
        while left:
            text = json.dumps(left.pop())
            for name in re.findall(r'"#/components/schemas/(\w+)"', text):
                if name not in found:
                    found.add(name)
                    left.append(self.schemas[name])
        return sorted(found)


def page_name(schema):
    """The name of a page by what it holds."""
    items = schema["properties"]["items"]["items"]
    reference = items.get("$ref", "")
    return (reference.rsplit("/", 1)[-1] or items.get("type", "any").title()) + "Page"


def table(description):
    """What the SDKs encode by: no words."""
    def bare(value):
        if isinstance(value, dict):
            return {key: bare(one) for key, one in value.items() if key not in ("docs", "path")}
        return [bare(one) for one in value] if isinstance(value, list) else value

    pallets = [{"name": pallet["name"], "index": pallet["index"], "calls": bare(pallet["calls"])}
               for pallet in description["pallets"] if pallet["calls"]]
    return {"rules": description["rules"], "types": bare(description["types"]), "pallets": pallets}


def files():
    """Every generated file, and what is in it."""
    description = json.loads((HERE / "description.json").read_text("utf-8"))
    chain, rpc = Chain(description), Rpc(description["openrpc"])
    encoded = json.dumps(table(description), ensure_ascii=False, separators=(",", ":")) + "\n"
    yield "python/billchain/chain.json", encoded
    yield "java/src/main/resources/billchain/chain.json", encoded
    yield "typescript/src/chain.ts", generate_typescript.encoded(encoded)
    for module, folder in ((generate_python, "python/billchain"),
                           (generate_typescript, "typescript/src"),
                           (generate_java, "java/src/main/java/billchain/generated")):
        for name, text in module.files(chain, rpc):
            yield f"{folder}/{name}", text


def main():
    """Writes or compares."""
    stale = []
    for name, text in files():
        path = HERE / name
        if path.exists() and path.read_text("utf-8") == text:
            continue
        if "--check" in sys.argv[1:]:
            stale.append(name)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        print(f"wrote clients/{name}")
    for name in stale:
        print(f"clients/{name} is not what ./clients/generate.py writes", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
