/**
 * Calls as the bytes that are signed: SCALE, by the chain's own description of its types. A value has
 * the form that `transaction_prepare` takes (docs/transactions.md).
 */

import { concat, fromHex, fromLittle, little, utf8 } from "./bytes.js";
import { FormError } from "./errors.js";

export interface Field {
  name: string | null;
  type: number;
}

interface Variant {
  name: string;
  index: number;
  fields: Field[];
}

type Kind =
  | { kind: "primitive"; name: string }
  | { kind: "text"; length: number | null }
  | { kind: "account" | "call" | "bits" }
  | { kind: "option" | "compact"; type: number }
  | { kind: "list"; type: number; length: number | null }
  | { kind: "tuple"; types: number[] }
  | { kind: "composite"; fields: Field[] }
  | { kind: "variant"; variants: Variant[] };

export interface Table {
  rules: { name: string; version: number; transaction_version: number };
  types: Record<string, Kind>;
  pallets: { name: string; index: number; calls: Variant[] }[];
}

const MAX_DEPTH = 64;

/** A compact number. */
export function compact(value: number | bigint): Uint8Array<ArrayBuffer> {
  const number = BigInt(value);
  if (number < 1n << 6n) return little(number << 2n, 1);
  if (number < 1n << 14n) return little((number << 2n) | 1n, 2);
  if (number < 1n << 30n) return little((number << 2n) | 2n, 4);
  const length = Math.ceil(number.toString(16).length / 2);
  return concat(Uint8Array.of(((length - 4) << 2) | 3), little(number, length));
}

/** A variant's name as the answers of methods have it. */
export const snakeCase = (name: string): string => name.replace(/(?!^)[A-Z]/g, (letter) => `_${letter}`).toLowerCase();

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);

/** Encodes calls by a table of types. */
export class Codec {
  constructor(readonly table: Table) {}

  /** A call: pallet, call and args. */
  call(value: unknown, place = "call", depth = 0): Uint8Array<ArrayBuffer> {
    if (!isObject(value) || Object.keys(value).some((key) => !["pallet", "call", "args"].includes(key))) {
      throw new FormError(place, "an object of pallet, call and args", value);
    }
    const pallet = this.table.pallets.find((one) => one.name === value.pallet);
    if (pallet === undefined) {
      const known = this.table.pallets.map((one) => one.name).join(", ");
      throw new FormError(`${place}.pallet`, `one of ${known}`, value.pallet);
    }
    const call = pallet.calls.find((one) => one.name === value.call);
    if (call === undefined) {
      throw new FormError(`${place}.call`, `one of ${pallet.calls.map((one) => one.name).join(", ")}`, value.call);
    }
    const head = Uint8Array.of(pallet.index, call.index);
    return concat(head, this.#named(call.fields, value.args ?? {}, `${place}.args`, depth + 1));
  }

  #value(id: number, value: unknown, place: string, depth: number): Uint8Array<ArrayBuffer> {
    if (depth > MAX_DEPTH) throw new FormError(place, `at most ${MAX_DEPTH} levels`, value);
    const kind = this.table.types[id];
    switch (kind.kind) {
      case "primitive":
        return primitive(kind.name, value, place);
      case "text":
        if (typeof value !== "string") throw new FormError(place, "text", value);
        return counted(utf8(value), kind.length, place, value, "of text");
      case "account": {
        const account = typeof value === "string" && /^0x[0-9a-fA-F]{64}$/.test(value) ? fromHex(value) : undefined;
        if (account === undefined) throw new FormError(place, "an account: 32 bytes as 0x hex", value);
        return account;
      }
      case "call":
        return this.call(value, place, depth);
      case "option":
        if (value === null || value === undefined) return Uint8Array.of(0);
        return concat(Uint8Array.of(1), this.#value(kind.type, value, place, depth + 1));
      case "compact": {
        const plain = this.#value(kind.type, value, place, depth + 1);
        return plain.length === 0 ? plain : compact(fromLittle(plain));
      }
      case "list":
        return this.#list(kind, value, place, depth + 1);
      case "tuple":
        return this.#tuple(kind.types, value, place, depth + 1);
      case "composite":
        return this.#fields(kind.fields, value, place, depth + 1);
      case "variant":
        return this.#variant(kind.variants, value, place, depth + 1);
      default:
        throw new FormError(place, "no bit sequence", value);
    }
  }

  #variant(variants: Variant[], value: unknown, place: string, depth: number): Uint8Array<ArrayBuffer> {
    const only = isObject(value) ? Object.entries(value) : [];
    const [name, content] = only.length === 1 ? only[0] : [value, undefined];
    const variant = variants.find((one) => one.name === name || snakeCase(one.name) === name);
    if (variant === undefined) {
      throw new FormError(place, `one of ${variants.map((one) => one.name).join(", ")}`, value);
    }
    const index = Uint8Array.of(variant.index);
    if (!isObject(value)) {
      if (variant.fields.length > 0) throw new FormError(place, `an object of ${name} and its fields`, value);
      return index;
    }
    return concat(index, this.#fields(variant.fields, content, `${place}.${name}`, depth));
  }

  #list(kind: { type: number; length: number | null }, value: unknown, place: string, depth: number): Uint8Array<ArrayBuffer> {
    const of = this.table.types[kind.type];
    if (of.kind === "primitive" && of.name === "u8") {
      const isHex = typeof value === "string" && value.startsWith("0x");
      const bytes = value instanceof Uint8Array ? value : isHex ? fromHex(value) : undefined;
      if (bytes === undefined) throw new FormError(place, "bytes as 0x hex", value);
      return counted(bytes, kind.length, place, value, "as 0x hex");
    }
    if (!Array.isArray(value)) throw new FormError(place, "a list", value);
    if (kind.length !== null && kind.length !== value.length) throw new FormError(place, `${kind.length} entries`, value);
    const head = kind.length === null ? compact(value.length) : new Uint8Array();
    return concat(head, ...value.map((one, at) => this.#value(kind.type, one, `${place}.${at}`, depth)));
  }

  #tuple(types: number[], value: unknown, place: string, depth: number): Uint8Array<ArrayBuffer> {
    if (types.length === 0 && (value === null || value === undefined)) return new Uint8Array();
    if (!Array.isArray(value) || value.length !== types.length) {
      throw new FormError(place, `a list of ${types.length}`, value);
    }
    return concat(...types.map((id, at) => this.#value(id, value[at], `${place}.${at}`, depth)));
  }

  /** Fields in the form that they have together. */
  #fields(fields: Field[], value: unknown, place: string, depth: number): Uint8Array<ArrayBuffer> {
    if (fields.length === 1 && fields[0].name === null) return this.#value(fields[0].type, value, place, depth);
    if (fields.length > 0 && fields.every((field) => field.name !== null)) return this.#named(fields, value, place, depth);
    return this.#tuple(fields.map((field) => field.type), value, place, depth);
  }

  #named(fields: Field[], value: unknown, place: string, depth: number): Uint8Array<ArrayBuffer> {
    const names = fields.map((field) => field.name ?? "");
    const expected = `an object of ${names.join(", ")}`;
    if (!isObject(value)) throw new FormError(place, expected, value);
    const unknown = Object.keys(value).find((key) => !names.includes(key));
    if (unknown !== undefined) throw new FormError(place, expected, unknown);
    return concat(...fields.map((field, at) => this.#value(field.type, value[names[at]], `${place}.${names[at]}`, depth)));
  }
}

/** Bytes, whose number comes first where it varies. */
function counted(bytes: Uint8Array, length: number | null, place: string, value: unknown, what: string): Uint8Array<ArrayBuffer> {
  if (length === null) return concat(compact(bytes.length), bytes);
  if (bytes.length !== length) throw new FormError(place, `${length} bytes ${what}`, value);
  return concat(bytes);
}

function primitive(name: string, value: unknown, place: string): Uint8Array<ArrayBuffer> {
  if (name === "bool") {
    if (typeof value !== "boolean") throw new FormError(place, "true or false", value);
    return Uint8Array.of(Number(value));
  }
  if (name === "str") {
    if (typeof value !== "string") throw new FormError(place, "text", value);
    return counted(utf8(value), null, place, value, "of text");
  }
  const bits = BigInt(name.slice(1));
  const [low, high] = name.startsWith("i") ? [-(1n << (bits - 1n)), (1n << (bits - 1n)) - 1n] : [0n, (1n << bits) - 1n];
  const isNumber =
    typeof value === "bigint" || Number.isSafeInteger(value) || (typeof value === "string" && /^-?[0-9]{1,40}$/.test(value));
  const number = isNumber ? BigInt(value as number) : undefined;
  if (number === undefined || number < low || number > high) {
    throw new FormError(place, `a whole number from ${low} to ${high}`, value);
  }
  return little(number, Number(bits) / 8);
}
