/**
 * SM2 signatures (GB/T 32918.2). The number k of a signature is derived from key and message
 * (RFC 6979 with HMAC-SM3): no bad random source can betray the key.
 */

import { weierstrass } from "@noble/curves/abstract/weierstrass.js";
import { big32, concat, fromBig, utf8 } from "./bytes.js";
import { hmacSm3, sm3 } from "./sm3.js";

const P = 0xfffffffeffffffffffffffffffffffffffffffff00000000ffffffffffffffffn;
const A = P - 3n;
const B = 0x28e9fa9e9d9f5e344d5a9e4bcf6509a7f39789f515ab8f92ddbcbd414d940e93n;
const GX = 0x32c4ae2c1f1981195f9904466a39c9948fe30bbff2660be1715a4589334c74c7n;
const GY = 0xbc3736a2f4f6779c59bdcee36b692153d0a9877cc62a474002df32e52139f0a0n;
export const N = 0xfffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123n;
const Point = weierstrass({ p: P, n: N, h: 1n, a: A, b: B, Gx: GX, Gy: GY });
const SIGNER_ID = utf8("1234567812345678");

interface Affine {
  x: bigint;
  y: bigint;
}

const mod = (value: bigint): bigint => ((value % N) + N) % N;
const pointOf = (secret: bigint): Affine => Point.BASE.multiply(secret).toAffine();

/** The compressed public key of a secret number, 33 bytes. */
export function publicKey(secret: bigint): Uint8Array<ArrayBuffer> {
  const { x, y } = pointOf(secret);
  return concat(Uint8Array.of(2 + Number(y & 1n)), big32(x));
}

/** The same key in 65 bytes. */
export function uncompressed(secret: bigint): Uint8Array<ArrayBuffer> {
  const { x, y } = pointOf(secret);
  return concat(Uint8Array.of(4), big32(x), big32(y));
}

/** The number e that is signed for a message. */
function hashed({ x, y }: Affine, message: Uint8Array): bigint {
  const bits = Uint8Array.of(0, 8 * SIGNER_ID.length);
  const z = sm3(bits, SIGNER_ID, ...[A, B, GX, GY, x, y].map(big32));
  return fromBig(sm3(z, message));
}

/** The numbers k of RFC 6979 for a key and a digest. */
function* numbers(secret: bigint, digest: bigint): Generator<bigint> {
  const seed = concat(big32(secret), big32(mod(digest)));
  let v: Uint8Array = new Uint8Array(32).fill(1);
  let k: Uint8Array = new Uint8Array(32);
  for (const mark of [0, 1]) {
    k = hmacSm3(k)(v, Uint8Array.of(mark), seed);
    v = hmacSm3(k)(v);
  }
  for (;;) {
    v = hmacSm3(k)(v);
    const number = fromBig(v);
    if (number > 0n && number < N) yield number;
    k = hmacSm3(k)(v, Uint8Array.of(0));
    v = hmacSm3(k)(v);
  }
}

/** 1 / value modulo n. */
function inverse(value: bigint): bigint {
  let [a, b, x, y] = [mod(value), N, 1n, 0n];
  while (a !== 0n) {
    const q = b / a;
    [a, b, x, y] = [b - q * a, a, y - q * x, x];
  }
  return mod(y);
}

/** r and s over the message, in 64 bytes. */
export function sign(secret: bigint, message: Uint8Array): Uint8Array<ArrayBuffer> {
  const e = hashed(pointOf(secret), message);
  for (const k of numbers(secret, e)) {
    const r = mod(e + pointOf(k).x);
    if (r === 0n || r + k === N) continue;
    const s = mod(inverse(1n + secret) * (k - r * secret));
    if (s !== 0n) return concat(big32(r), big32(s));
  }
  throw new Error("numbers never end");
}

/** Whether r and s over the message are the compressed key's. */
export function verify(key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (key.length !== 33 || signature.length !== 64) return false;
  const [r, s] = [fromBig(signature.subarray(0, 32)), fromBig(signature.subarray(32))];
  const t = mod(r + s);
  if (r <= 0n || r >= N || s <= 0n || s >= N || t === 0n) return false;
  let point: InstanceType<typeof Point>;
  try {
    point = Point.fromBytes(key);
  } catch {
    return false;
  }
  const found = Point.BASE.multiplyUnsafe(s).add(point.multiplyUnsafe(t));
  return !found.is0() && mod(hashed(point.toAffine(), message) + found.toAffine().x) === r;
}
