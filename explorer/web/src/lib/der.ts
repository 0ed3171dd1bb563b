/** As much of DER as a key file has: values with a tag, a length and contents. */

export interface Value {
  tag: number;
  contents: Uint8Array;
}

export const TAG = { integer: 0x02, octets: 0x04, nothing: 0x05, oid: 0x06, sequence: 0x30 } as const;

export class DerError extends Error {}

/** The values that stand in the bytes, one after another, and nothing else. */
export function values(bytes: Uint8Array): Value[] {
  const found: Value[] = [];
  for (let at = 0; at < bytes.length; ) {
    if (at + 2 > bytes.length) throw new DerError("cut short");
    const tag = bytes[at]!;
    let length = bytes[at + 1]!;
    at += 2;
    if (length >= 0x80) {
      const digits = length & 0x7f;
      if (digits === 0 || digits > 2 || at + digits > bytes.length) throw new DerError("length");
      length = 0;
      for (let j = 0; j < digits; j++) length = length * 256 + bytes[at++]!;
    }
    if (at + length > bytes.length) throw new DerError("cut short");
    found.push({ tag, contents: bytes.subarray(at, at + length) });
    at += length;
  }
  return found;
}

/** What a sequence holds. */
export function sequence(value: Value | undefined, what: string): Value[] {
  return values(contents(value, TAG.sequence, what));
}

/** The contents of a value that has to have the tag. */
export function contents(value: Value | undefined, tag: number, what: string): Uint8Array {
  if (value?.tag !== tag) throw new DerError(what);
  return value.contents;
}

/** A number that is not negative and has at most four bytes. */
export function unsigned(value: Value | undefined, what: string): number {
  const bytes = contents(value, TAG.integer, what);
  if (bytes.length === 0 || bytes.length > 5 || bytes[0]! >= 0x80) throw new DerError(what);
  return bytes.reduce((number, byte) => number * 256 + byte, 0);
}

/** An object identifier, with dots. */
export function oid(value: Value | undefined, what: string): string {
  const bytes = contents(value, TAG.oid, what);
  const parts: number[] = [];
  let part = 0;
  for (const byte of bytes) {
    part = part * 128 + (byte & 0x7f);
    if (byte < 0x80) {
      parts.push(part);
      part = 0;
    }
  }
  const first = parts.shift() ?? 0;
  const root = Math.min(Math.floor(first / 40), 2);
  return [root, first - 40 * root, ...parts].join(".");
}
