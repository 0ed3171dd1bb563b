/**
 * SM2 keys from files of OpenSSL, GmSSL, Bouncy Castle and `billchain keys`: PKCS#8, plain or
 * encrypted (PBES2 with PBKDF2; in Node.js 3-DES, too), and SEC1, PEM or DER. Whoever keeps the key in
 * a device (密码机, U-key) gives the client a `Signer` of its own instead.
 */

import { concat, fromBig, toHex, utf8 } from "./bytes.js";
import { KeyFileError } from "./errors.js";
import * as sm2 from "./sm2.js";
import { pbkdf2Sm3, sm3 } from "./sm3.js";
import * as sm4 from "./sm4.js";

/** Signs for an account. A device stands behind it as well as a file. */
export interface Signer {
  /** The compressed public key, 33 bytes. */
  publicKey(): Uint8Array | Promise<Uint8Array>;
  /** SM2 over the payload with signer id 1234567812345678: r and s, 64 bytes. */
  sign(payload: Uint8Array): Uint8Array | Promise<Uint8Array>;
}

/** A signer whose key is in memory. */
export class Sm2Key implements Signer {
  readonly #secret: bigint;

  constructor(secret: bigint) {
    if (secret <= 0n || secret >= sm2.N - 1n) throw bad("the private number is out of range");
    this.#secret = secret;
  }

  /** The key in a file's bytes or text. */
  static async read(file: Uint8Array | string, password?: Uint8Array | string): Promise<Sm2Key> {
    const data = typeof file === "string" ? utf8(file) : file;
    if (data.length > MAX_FILE) throw bad(`the file is longer than ${MAX_FILE} bytes`);
    const secret = typeof password === "string" ? utf8(password) : password;
    return new Sm2Key(await parse(unarmoured(data), secret, false));
  }

  /** The key of a development seed, as `//hospital`: for networks to play with. */
  static development(seed: string): Sm2Key {
    const domain = utf8("BillChain SM2 key from seed, version 1");
    for (let counter = 0; ; counter++) {
      const number = fromBig(sm3(domain, Uint8Array.of(0, 0, 0, counter), utf8(seed)));
      if (number > 0n && number < sm2.N - 1n) return new Sm2Key(number);
    }
  }

  publicKey(): Uint8Array {
    return sm2.publicKey(this.#secret);
  }

  sign(payload: Uint8Array): Uint8Array {
    return sm2.sign(this.#secret, payload);
  }
}

const MAX_FILE = 64 * 1024;
const MAX_ITERATIONS = 10_000_000;
const [EC, CURVE] = ["1.2.840.10045.2.1", "1.2.156.10197.1.301"];
const ALGORITHMS = [EC, CURVE, "1.2.156.10197.1.301.1", "1.2.156.10197.1.301.3"];
const PBES2 = "1.2.840.113549.1.5.13";
const PBKDF2 = "1.2.840.113549.1.5.12";
const PKCS12_3DES = "1.2.840.113549.1.12.1.3";
const PRFS: Record<string, string> = {
  "1.2.840.113549.2.7": "SHA-1",
  "1.2.840.113549.2.8": "SHA-224",
  "1.2.840.113549.2.9": "SHA-256",
  "1.2.840.113549.2.10": "SHA-384",
  "1.2.840.113549.2.11": "SHA-512",
  "1.2.156.10197.1.401.2": "SM3",
  "1.2.156.10197.1.401.3.1": "SM3",
};
const CIPHERS: Record<string, { name: string; key: number; block: number }> = {
  "2.16.840.1.101.3.4.1.2": { name: "AES", key: 16, block: 16 },
  "2.16.840.1.101.3.4.1.22": { name: "AES", key: 24, block: 16 },
  "2.16.840.1.101.3.4.1.42": { name: "AES", key: 32, block: 16 },
  "1.2.156.10197.1.104.2": { name: "SM4", key: 16, block: 16 },
  "1.2.156.10197.1.104.8": { name: "SM4-GCM", key: 16, block: 16 },
  "1.2.840.113549.3.7": { name: "3-DES", key: 24, block: 8 },
};

const bad = (reason: string, code?: string): KeyFileError => new KeyFileError(reason, code);
const wrongPassword = (): KeyFileError => bad("wrong password", "WrongPassword");

/** The DER value of a PEM file, or the bytes as they are. */
function unarmoured(data: Uint8Array): Uint8Array {
  const text = new TextDecoder("latin1").decode(data);
  if (!text.includes("-----BEGIN")) {
    if (data[0] === 0x30) return data;
    throw bad("expected PEM or DER");
  }
  const blocks = text.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----\s([^-]*)-----END \1-----/g);
  for (const [, label, body] of blocks) {
    if (label === "EC PARAMETERS") continue;
    if (!label.endsWith("PRIVATE KEY")) throw bad(`labelled \`${label}\`, expected a private key`);
    if (body.includes(":")) throw bad("encrypted in OpenSSL's old way, expected PKCS#8 (openssl pkcs8 -topk8)");
    try {
      return Uint8Array.from(atob(body.replace(/\s+/g, "")), (letter) => letter.charCodeAt(0));
    } catch {
      throw bad("what is between the PEM lines is no base 64");
    }
  }
  throw bad("it has no whole PEM block of a private key");
}

/** Reads DER values one after the other. */
class Der {
  #at = 0;

  constructor(readonly data: Uint8Array) {}

  more(): boolean {
    return this.#at < this.data.length;
  }

  /** The tag of the next value. */
  next(): number | undefined {
    return this.data[this.#at];
  }

  value(tag?: number): { tag: number; content: Uint8Array } {
    const { data } = this;
    let at = this.#at;
    if (at + 2 > data.length) throw bad("it is cut short");
    const found = data[at];
    let length = data[at + 1];
    at += 2;
    if (length >= 0x80) {
      const count = length & 0x7f;
      if (count < 1 || count > 3 || at + count > data.length) throw bad("a length is out of bounds");
      length = data.subarray(at, at + count).reduce((sum, byte) => sum * 256 + byte, 0);
      at += count;
    }
    if (at + length > data.length) throw bad("it is cut short");
    if (tag !== undefined && found !== tag) throw bad(`expected a value with tag ${tag}, found ${found}`);
    this.#at = at + length;
    return { tag: found, content: data.subarray(at, at + length) };
  }

  inner(tag = 0x30): Der {
    return new Der(this.value(tag).content);
  }

  octets(): Uint8Array {
    return this.value(4).content;
  }

  number(): number {
    const { content } = this.value(2);
    if (content.length < 1 || content.length > 6 || content[0] >= 0x80) throw bad("a number is out of range");
    return content.reduce((sum, byte) => sum * 256 + byte, 0);
  }

  oid(): string {
    const { content } = this.value(6);
    const numbers: number[] = [];
    let number = 0;
    for (const byte of content.subarray(0, 32)) {
      number = number * 128 + (byte & 0x7f);
      if (byte < 0x80) {
        numbers.push(number);
        number = 0;
      }
    }
    if (numbers.length === 0) throw bad("an object identifier is malformed");
    const first = Math.min(Math.floor(numbers[0] / 40), 2);
    return [first, numbers[0] - 40 * first, ...numbers.slice(1)].join(".");
  }
}

/** The private number in a DER value. */
async function parse(data: Uint8Array, password: Uint8Array | undefined, decrypted: boolean): Promise<bigint> {
  const outer = new Der(data).inner();
  const { tag, content } = outer.value();
  if (tag === 0x30) {
    if (decrypted) throw bad("a key encrypted twice");
    if (password === undefined) throw bad("the key is encrypted: a password is needed", "PasswordNeeded");
    const plain = await decrypt(new Der(content), outer.octets(), password);
    if (!beginsLikeAKey(plain)) throw wrongPassword();
    return parse(plain, undefined, true);
  }
  if (tag !== 2) throw bad("this is no private key");
  if (content.length === 1 && content[0] === 1) return sec1(data, false);
  const algorithm = outer.inner();
  const oid = algorithm.oid();
  if (!ALGORITHMS.includes(oid)) throw bad(`a key of algorithm ${oid}, expected SM2`);
  let named = oid !== EC;
  if (algorithm.next() === 6) {
    expectCurve(algorithm.oid());
    named = true;
  }
  return sec1(outer.octets(), named);
}

function beginsLikeAKey(plain: Uint8Array): boolean {
  try {
    return new Der(plain).inner().value().tag === 2;
  } catch {
    return false;
  }
}

function expectCurve(found: string): void {
  if (found !== CURVE) throw bad(`a key of curve ${found}, expected ${CURVE} (sm2p256v1)`);
}

/** The private number of an ECPrivateKey. */
function sec1(data: Uint8Array, namedAround: boolean): bigint {
  const key = new Der(data).inner();
  if (key.number() !== 1) throw bad("an ECPrivateKey of another version");
  const digits = key.octets();
  const secret = fromBig(digits);
  if (digits.length > 33) throw bad(`a private number of ${digits.length} bytes, expected 32`);
  let named = namedAround;
  let point: Uint8Array | undefined;
  while (key.more()) {
    const { tag, content } = key.value();
    if (tag === 0xa0) {
      expectCurve(new Der(content).oid());
      named = true;
    } else if (tag === 0xa1) {
      point = new Der(content).value(3).content.subarray(1);
    }
  }
  if (!named && point === undefined) throw bad("nothing says which curve the key is of");
  if (secret <= 0n || secret >= sm2.N - 1n) throw bad("the private number is out of range");
  const own = [sm2.uncompressed(secret), sm2.publicKey(secret)].map(toHex);
  if (point !== undefined && !own.includes(toHex(point))) throw bad("the public key in it is another key's");
  return secret;
}

function bounded(iterations: number): number {
  if (iterations < 1 || iterations > MAX_ITERATIONS) {
    throw bad(`${iterations} iterations, expected 1 to ${MAX_ITERATIONS}`);
  }
  return iterations;
}

/** What was encrypted by PBES2 or by PKCS#12's 3-DES. */
async function decrypt(algorithm: Der, encrypted: Uint8Array, password: Uint8Array): Promise<Uint8Array> {
  const scheme = algorithm.oid();
  if (scheme === PKCS12_3DES) {
    const parameters = algorithm.inner();
    const [salt, iterations] = [parameters.octets(), bounded(parameters.number())];
    const key = await pkcs12(password, salt, iterations, 1, 24);
    return uncbc("3-DES", key, await pkcs12(password, salt, iterations, 2, 8), encrypted, 8);
  }
  if (scheme !== PBES2) throw bad(`encrypted by ${scheme}, expected PBES2 (openssl pkcs8 -topk8 -v2 aes-256-cbc)`);
  const parameters = algorithm.inner();
  const [derivation, encryption] = [parameters.inner(), parameters.inner()];
  const derived = derivation.oid();
  if (derived !== PBKDF2) throw bad(`a key derived by ${derived}, expected PBKDF2`);
  const details = derivation.inner();
  const [salt, iterations] = [details.octets(), bounded(details.number())];
  if (details.next() === 2) details.number();
  const prf = details.more() ? details.inner().oid() : "1.2.840.113549.2.7";
  const hash = PRFS[prf];
  if (hash === undefined) throw bad(`PBKDF2 with ${prf}, expected HMAC with SHA-1, SHA-2 or SM3`);
  const oid = encryption.oid();
  const cipher = CIPHERS[oid];
  if (cipher === undefined) throw bad(`encrypted by ${oid}, expected AES, SM4 or 3-DES`);
  const key = await pbkdf2(hash, password, salt, iterations, cipher.key);
  if (cipher.name !== "SM4-GCM") return uncbc(cipher.name, key, encryption.octets(), encrypted, cipher.block);
  const gcm = encryption.inner();
  const nonce = gcm.octets();
  if (!gcm.more() || gcm.number() !== 16 || nonce.length !== 12 || encrypted.length < 16) {
    throw bad("SM4-GCM with another nonce or tag than 12 and 16 bytes");
  }
  const plain = sm4.gcm(key, nonce, encrypted);
  if (plain === undefined) throw wrongPassword();
  return plain;
}

const copied = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => Uint8Array.from(bytes);

/** What Node.js has and browsers have not: 3-DES and SHA-224. */
interface NodeCrypto {
  pbkdf2Sync(password: Uint8Array, salt: Uint8Array, iterations: number, length: number, hash: string): Uint8Array;
  createDecipheriv(name: string, key: Uint8Array, iv: Uint8Array): {
    setAutoPadding(on: boolean): void;
    update(data: Uint8Array): Uint8Array;
    final(): Uint8Array;
  };
}

function nodeCrypto(what: string): NodeCrypto {
  const { process } = globalThis as { process?: { getBuiltinModule?(name: string): unknown } };
  const found = process?.getBuiltinModule?.("node:crypto");
  if (!found) throw bad(`${what} is not in browsers: write the key again with openssl pkcs8 -topk8 -v2 aes-256-cbc`);
  return found as NodeCrypto;
}

async function pbkdf2(hash: string, password: Uint8Array, salt: Uint8Array, iterations: number, length: number): Promise<Uint8Array> {
  if (hash === "SM3") return pbkdf2Sm3(password, salt, iterations, length);
  if (hash === "SHA-224") return nodeCrypto("SHA-224").pbkdf2Sync(password, salt, iterations, length, "sha224");
  const key = await crypto.subtle.importKey("raw", copied(password), "PBKDF2", false, ["deriveBits"]);
  const parameters = { name: "PBKDF2", hash, salt: copied(salt), iterations };
  return new Uint8Array(await crypto.subtle.deriveBits(parameters, key, 8 * length));
}

/** What was encrypted in CBC with PKCS#7's padding. */
async function uncbc(name: string, key: Uint8Array, iv: Uint8Array, encrypted: Uint8Array, block: number): Promise<Uint8Array> {
  if (iv.length !== block || encrypted.length === 0 || encrypted.length % block !== 0) {
    throw bad(`the encrypted key is no whole number of blocks of ${block} bytes`);
  }
  if (name === "AES") {
    const imported = await crypto.subtle.importKey("raw", copied(key), "AES-CBC", false, ["decrypt"]);
    try {
      return new Uint8Array(await crypto.subtle.decrypt({ name: "AES-CBC", iv: copied(iv) }, imported, copied(encrypted)));
    } catch {
      throw wrongPassword();
    }
  }
  let plain: Uint8Array;
  if (name === "SM4") {
    plain = sm4.cbc(key, iv, encrypted);
  } else {
    const opened = nodeCrypto("3-DES").createDecipheriv("des-ede3-cbc", key, iv);
    opened.setAutoPadding(false);
    plain = concat(opened.update(encrypted), opened.final());
  }
  const count = plain[plain.length - 1];
  if (count < 1 || count > block || plain.subarray(-count).some((byte) => byte !== count)) throw wrongPassword();
  return plain.subarray(0, plain.length - count);
}

/** The derivation of PKCS#12 (RFC 7292, B.2) with SHA-1. */
async function pkcs12(password: Uint8Array, salt: Uint8Array, iterations: number, purpose: number, length: number): Promise<Uint8Array> {
  const sha1 = async (data: Uint8Array) => new Uint8Array(await crypto.subtle.digest("SHA-1", copied(data)));
  const filled = (data: Uint8Array) =>
    Uint8Array.from({ length: 64 * Math.ceil(data.length / 64) }, (_, i) => data[i % data.length]);
  const text = new TextDecoder().decode(password);
  const wide = Uint8Array.from(`${text}\0`.split("").flatMap((letter) => [letter.charCodeAt(0) >> 8, letter.charCodeAt(0) & 255]));
  const block = concat(filled(salt), filled(wide));
  let result: Uint8Array = new Uint8Array();
  while (result.length < length) {
    let a: Uint8Array = concat(new Uint8Array(64).fill(purpose), block);
    for (let i = 0; i < iterations; i++) a = await sha1(a);
    result = concat(result, a);
    const b = filled(a).subarray(0, 64);
    for (let at = 0; at < block.length; at += 64) {
      let carry = 1;
      for (let i = 63; i >= 0; i--) {
        carry += block[at + i] + b[i];
        block[at + i] = carry & 255;
        carry >>= 8;
      }
    }
  }
  return result.slice(0, length);
}
