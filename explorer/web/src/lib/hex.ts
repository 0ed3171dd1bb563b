/** Bytes and hexadecimal digits. */

export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The bytes of an even number of hexadecimal digits, with or without `0x`; null for others. */
export function fromHex(text: string): Uint8Array<ArrayBuffer> | null {
  const digits = text.replace(/^0x/i, "");
  if (digits.length % 2 !== 0 || !/^[0-9a-f]*$/i.test(digits)) return null;
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/** `0x1234…cdef`: what a reader compares at a glance. */
export function shortHash(hash: string, each = 6): string {
  const digits = hash.replace(/^0x/, "");
  return digits.length <= 2 * each + 1 ? hash : `0x${digits.slice(0, each)}…${digits.slice(-each)}`;
}

/** Whether two hashes are one, however they are written. */
export function sameHash(one: string | null | undefined, other: string | null | undefined): boolean {
  const plain = (hash: string) => hash.replace(/^0x/i, "").toLowerCase();
  return !!one && !!other && plain(one) === plain(other);
}
