/** SM3 (GB/T 32905), HMAC and PBKDF2 with it. */

import { concat } from "./bytes.js";

const START = [
  0x7380166f, 0x4914b2b9, 0x172442d7, 0xda8a0600, 0xa96f30bc, 0x163138aa, 0xe38dee4d, 0xb0fb0e4e,
];
const turn = (x: number, n: number): number => (n === 0 ? x : (x << n) | (x >>> (32 - n)));
const T = Array.from({ length: 64 }, (_, j) => turn(j < 16 ? 0x79cc4519 : 0x7a879d8a, j % 32));
const W = new Int32Array(68);

/** The compression function: changes the state by a block of 64 bytes. */
function compress(state: Int32Array, data: Uint8Array, from: number): void {
  const view = new DataView(data.buffer, data.byteOffset + from, 64);
  for (let j = 0; j < 16; j++) W[j] = view.getInt32(4 * j);
  for (let j = 16; j < 68; j++) {
    const x = W[j - 16] ^ W[j - 9] ^ turn(W[j - 3], 15);
    W[j] = x ^ turn(x, 15) ^ turn(x, 23) ^ turn(W[j - 13], 7) ^ W[j - 6];
  }
  let [a, b, c, d, e, f, g, h] = state;
  for (let j = 0; j < 64; j++) {
    const a12 = turn(a, 12);
    const ss1 = turn((a12 + e + T[j]) | 0, 7);
    const ff = j < 16 ? a ^ b ^ c : (a & b) | (a & c) | (b & c);
    const gg = j < 16 ? e ^ f ^ g : (e & f) | (~e & g);
    const tt1 = (ff + d + (ss1 ^ a12) + (W[j] ^ W[j + 4])) | 0;
    const tt2 = (gg + h + ss1 + W[j]) | 0;
    d = c;
    c = turn(b, 9);
    b = a;
    a = tt1;
    h = g;
    g = turn(f, 19);
    f = e;
    e = tt2 ^ turn(tt2, 9) ^ turn(tt2, 17);
  }
  const next = [a, b, c, d, e, f, g, h];
  for (let i = 0; i < 8; i++) state[i] ^= next[i];
}

/** The digest of data, of which `before` bytes went into the state already. */
function finish(state: Int32Array, data: Uint8Array, before: number): Uint8Array<ArrayBuffer> {
  const padded = new Uint8Array(Math.ceil((data.length + 9) / 64) * 64);
  padded.set(data);
  padded[data.length] = 0x80;
  new DataView(padded.buffer).setBigUint64(padded.length - 8, BigInt(before + data.length) * 8n);
  for (let at = 0; at < padded.length; at += 64) compress(state, padded, at);
  const digest = new Uint8Array(32);
  const view = new DataView(digest.buffer);
  state.forEach((word, i) => view.setInt32(4 * i, word));
  return digest;
}

/** SM3 of the parts one after the other. */
export function sm3(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  return finish(Int32Array.from(START), parts.length === 1 ? parts[0] : concat(...parts), 0);
}

/** HMAC with SM3 under one key. */
export function hmacSm3(key: Uint8Array): (...parts: Uint8Array[]) => Uint8Array<ArrayBuffer> {
  const short = key.length > 64 ? sm3(key) : key;
  const [inner, outer] = [0x36, 0x5c].map((pad) => {
    const block = new Uint8Array(64).fill(pad);
    short.forEach((byte, i) => (block[i] ^= byte));
    const state = Int32Array.from(START);
    compress(state, block, 0);
    return state;
  });
  return (...parts) => {
    const first = finish(Int32Array.from(inner), parts.length === 1 ? parts[0] : concat(...parts), 64);
    return finish(Int32Array.from(outer), first, 64);
  };
}

/** PBKDF2 with HMAC-SM3. */
export function pbkdf2Sm3(password: Uint8Array, salt: Uint8Array, iterations: number, length: number): Uint8Array<ArrayBuffer> {
  const mac = hmacSm3(password);
  const blocks: Uint8Array[] = [];
  for (let index = 1; 32 * blocks.length < length; index++) {
    let u = mac(salt, Uint8Array.of(0, 0, 0, index));
    const block = u.slice();
    for (let i = 1; i < iterations; i++) {
      u = mac(u);
      for (let j = 0; j < 32; j++) block[j] ^= u[j];
    }
    blocks.push(block);
  }
  return concat(...blocks).slice(0, length);
}
