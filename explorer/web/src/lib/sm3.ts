/**
 * SM3 (GB/T 32905-2016): of bytes, of files piece by piece, and HMAC with what is built on it.
 *
 * It is written here, and not taken from a package, because a file of any size is hashed as it is
 * read, and a password is stretched by 600,000 rounds: both work on prepared states, which the
 * packages do not give.
 */

const START = [
  0x7380166f, 0x4914b2b9, 0x172442d7, 0xda8a0600, 0xa96f30bc, 0x163138aa, 0xe38dee4d, 0xb0fb0e4e,
];

/** The constants T_j, turned by j. */
const ROUND = Int32Array.from({ length: 64 }, (_, j) => {
  const constant = j < 16 ? 0x79cc4519 : 0x7a879d8a;
  const by = j % 32;
  return by === 0 ? constant : (constant << by) | (constant >>> (32 - by));
});

const W = new Int32Array(68);

/** Takes the block of 16 words, which stand in `W`, into the state. */
function compress(state: Int32Array): void {
  for (let j = 16; j < 68; j++) {
    const c = W[j - 3]!;
    const x = W[j - 16]! ^ W[j - 9]! ^ ((c << 15) | (c >>> 17));
    const d = W[j - 13]!;
    W[j] =
      x ^ ((x << 15) | (x >>> 17)) ^ ((x << 23) | (x >>> 9)) ^ ((d << 7) | (d >>> 25)) ^ W[j - 6]!;
  }
  let a = state[0]!, b = state[1]!, c = state[2]!, d = state[3]!;
  let e = state[4]!, f = state[5]!, g = state[6]!, h = state[7]!;
  for (let j = 0; j < 64; j++) {
    const a12 = (a << 12) | (a >>> 20);
    const sum = (a12 + e + ROUND[j]!) | 0;
    const ss1 = (sum << 7) | (sum >>> 25);
    const ff = j < 16 ? a ^ b ^ c : (a & b) | (a & c) | (b & c);
    const gg = j < 16 ? e ^ f ^ g : (e & f) | (~e & g);
    const tt1 = (ff + d + (ss1 ^ a12) + (W[j]! ^ W[j + 4]!)) | 0;
    const tt2 = (gg + h + ss1 + W[j]!) | 0;
    d = c;
    c = (b << 9) | (b >>> 23);
    b = a;
    a = tt1;
    h = g;
    g = (f << 19) | (f >>> 13);
    f = e;
    e = tt2 ^ ((tt2 << 9) | (tt2 >>> 23)) ^ ((tt2 << 17) | (tt2 >>> 15));
  }
  state[0]! ^= a; state[1]! ^= b; state[2]! ^= c; state[3]! ^= d;
  state[4]! ^= e; state[5]! ^= f; state[6]! ^= g; state[7]! ^= h;
}

/** A digest in the making. */
export class Sm3 {
  private state = Int32Array.from(START);
  private pending = new Uint8Array(64);
  private held = 0;
  private length = 0;

  update(bytes: Uint8Array): this {
    this.length += bytes.length;
    let at = 0;
    if (this.held > 0) {
      const taken = Math.min(64 - this.held, bytes.length);
      this.pending.set(bytes.subarray(0, taken), this.held);
      this.held += taken;
      at = taken;
      if (this.held < 64) return this;
      this.block(this.pending, 0);
      this.held = 0;
    }
    for (; at + 64 <= bytes.length; at += 64) this.block(bytes, at);
    this.pending.set(bytes.subarray(at));
    this.held = bytes.length - at;
    return this;
  }

  /** The digest, 32 bytes. Nothing is added afterwards. */
  digest(): Uint8Array {
    const bits = this.length * 8;
    const end = new Uint8Array(this.held < 56 ? 64 - this.held : 128 - this.held);
    end[0] = 0x80;
    const view = new DataView(end.buffer);
    view.setUint32(end.length - 8, Math.floor(bits / 0x1_0000_0000));
    view.setUint32(end.length - 4, bits >>> 0);
    this.update(end);
    return bytesOf(this.state);
  }

  private block(bytes: Uint8Array, at: number): void {
    for (let j = 0; j < 16; j++, at += 4) {
      W[j] = (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
    }
    compress(this.state);
  }
}

/** SM3 of bytes. */
export function sm3(bytes: Uint8Array): Uint8Array {
  return new Sm3().update(bytes).digest();
}

/** SM3 of a file, read piece by piece. */
export async function sm3OfBlob(blob: Blob, told?: (done: number) => void): Promise<Uint8Array> {
  const digest = new Sm3();
  const piece = 1 << 20;
  for (let at = 0; at < blob.size; at += piece) {
    digest.update(new Uint8Array(await blob.slice(at, at + piece).arrayBuffer()));
    told?.(Math.min(at + piece, blob.size));
  }
  return digest.digest();
}

/** PBKDF2 (RFC 8018) with HMAC-SM3, for keys of up to 32 bytes. */
export function pbkdf2(password: Uint8Array, salt: Uint8Array, rounds: number, length: number): Uint8Array {
  if (length > 32) throw new RangeError("a key of at most 32 bytes");
  const key = new Uint8Array(64);
  key.set(password.length > 64 ? sm3(password) : password);
  const inner = padded(key, 0x36);
  const outer = padded(key, 0x5c);
  const hmac = (words: Int32Array): void => {
    // What is hashed is 64 bytes of the key, and 32 more: its end is always the same.
    for (let half = 0; half < 2; half++) {
      W.set(words);
      W[8] = 0x80000000 | 0;
      W.fill(0, 9, 15);
      W[15] = 96 * 8;
      words.set(half === 0 ? inner : outer);
      compress(words);
    }
  };
  const first = new Sm3().update(xored(key, 0x36)).update(salt).update(Uint8Array.of(0, 0, 0, 1));
  const start = new Sm3().update(xored(key, 0x5c)).update(first.digest()).digest();
  const view = new DataView(start.buffer);
  const words = Int32Array.from({ length: 8 }, (_, j) => view.getInt32(4 * j));
  const sum = Int32Array.from(words);
  for (let round = 1; round < rounds; round++) {
    hmac(words);
    for (let j = 0; j < 8; j++) sum[j]! ^= words[j]!;
  }
  return bytesOf(sum).slice(0, length);
}

/** The state after 64 bytes of the key. */
function padded(key: Uint8Array, by: number): Int32Array {
  const state = Int32Array.from(START);
  const view = new DataView(xored(key, by).buffer);
  for (let j = 0; j < 16; j++) W[j] = view.getInt32(4 * j);
  compress(state);
  return state;
}

function xored(key: Uint8Array, by: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(key, (byte) => byte ^ by);
}

function bytesOf(words: Int32Array): Uint8Array {
  const bytes = new Uint8Array(4 * words.length);
  const view = new DataView(bytes.buffer);
  words.forEach((word, j) => view.setInt32(4 * j, word));
  return bytes;
}
