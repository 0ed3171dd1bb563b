/**
 * A participant's key file, opened in the browser: PKCS#8 under PBES2, PBKDF2-HMAC-SM3 and SM4-GCM,
 * as `billchain keys generate` writes it (crypto/src/keyfile.rs). Key and password stay here: a
 * worker stretches the password, signs one challenge, and forgets both.
 */

import { sm2, sm4 } from "sm-crypto-v2";
import { contents, DerError, oid, sequence, TAG, unsigned, values, type Value } from "./der";
import { fromHex, toHex } from "./hex";
import { pbkdf2, sm3 } from "./sm3";

const MAX_FILE = 8 * 1024;
const ROUNDS = { least: 10_000, most: 10_000_000 };
const SALT = { least: 8, most: 64 };
const PBES2 = "1.2.840.113549.1.5.13";
const PBKDF2 = "1.2.840.113549.1.5.12";
const HMAC_SM3 = "1.2.156.10197.1.401.2";
const SM4_GCM = "1.2.156.10197.1.104.8";
/** The signer's id of GM/T 0009, which the chain always passes. */
const SIGNER = "1234567812345678";

/** Why a file gives no key: `code` is a message of the catalogue, `found` what was found. */
export class KeyFileError extends Error {
  constructor(
    readonly code: "notPem" | "inTheClear" | "algorithm" | "damaged" | "password",
    readonly found = "",
  ) {
    super(`${code} ${found}`.trim());
  }
}

interface Sealed {
  salt: Uint8Array;
  rounds: number;
  nonce: Uint8Array;
  encrypted: Uint8Array;
}

/** What a file says without its password. */
export function readKeyFile(text: string): Sealed {
  if (text.length > MAX_FILE) throw new KeyFileError("damaged", `${text.length} > ${MAX_FILE}`);
  const pem = /^-----BEGIN ([A-Z0-9 ]+)-----\s+([A-Za-z0-9+/=\s]+)-----END \1-----$/.exec(text.trim());
  if (!pem) throw new KeyFileError("notPem");
  if (pem[1] !== "ENCRYPTED PRIVATE KEY") throw new KeyFileError("inTheClear", pem[1]);
  try {
    const der = Uint8Array.from(atob(pem[2]!.replace(/\s/g, "")), (byte) => byte.charCodeAt(0));
    return parameters(der);
  } catch (error) {
    if (error instanceof KeyFileError) throw error;
    throw new KeyFileError("damaged", error instanceof DerError ? error.message : "base64");
  }
}

function parameters(der: Uint8Array): Sealed {
  const [whole, ...behind] = values(der);
  if (behind.length > 0) throw new DerError("bytes behind the key");
  const [algorithm, encrypted] = sequence(whole, "EncryptedPrivateKeyInfo");
  const [derivation, cipher] = sequence(of(algorithm, PBES2), "PBES2");
  const [salt, rounds, ...optional] = sequence(of(derivation, PBKDF2), "PBKDF2");
  const length = optional[0]?.tag === TAG.integer ? unsigned(optional.shift(), "length") : 16;
  of(optional[0], HMAC_SM3);
  const [nonce, tag] = sequence(of(cipher, SM4_GCM), "GCM");
  const sealed = {
    salt: contents(salt, TAG.octets, "salt"),
    rounds: unsigned(rounds, "rounds"),
    nonce: contents(nonce, TAG.octets, "nonce"),
    encrypted: contents(encrypted, TAG.octets, "encrypted"),
  };
  const good =
    length === 16 &&
    unsigned(tag, "tag") === 16 &&
    sealed.nonce.length === 12 &&
    sealed.encrypted.length > 16 &&
    sealed.salt.length >= SALT.least &&
    sealed.salt.length <= SALT.most &&
    sealed.rounds >= ROUNDS.least &&
    sealed.rounds <= ROUNDS.most;
  if (!good) throw new DerError("parameters out of bounds");
  return sealed;
}

/** The parameters of an algorithm, which has to be the one that is expected. */
function of(value: Value | undefined, expected: string): Value | undefined {
  const [name, given] = sequence(value, "algorithm");
  const found = oid(name, "algorithm");
  if (found !== expected) throw new KeyFileError("algorithm", `${found}, ${expected}`);
  return given;
}

/** The secret key in the file, as 64 hexadecimal digits. Takes a second or two: call it in a worker. */
export function openKeyFile(text: string, password: string): string {
  const sealed = readKeyFile(text);
  const key = pbkdf2(new TextEncoder().encode(password), sealed.salt, sealed.rounds, 16);
  const body = sealed.encrypted.length - 16;
  let plain: Uint8Array;
  try {
    plain = sm4.decrypt(sealed.encrypted.slice(0, body), key, {
      mode: "gcm",
      iv: Uint8Array.from(sealed.nonce),
      tag: sealed.encrypted.slice(body),
      padding: "none",
      output: "array",
    });
  } catch {
    throw new KeyFileError("password");
  }
  try {
    return secretOf(plain);
  } catch (error) {
    throw new KeyFileError("damaged", error instanceof Error ? error.message : "");
  }
}

/** The secret in a PKCS#8 key. */
function secretOf(plain: Uint8Array): string {
  const [, , key] = sequence(values(plain)[0], "PrivateKeyInfo");
  const [inner] = values(contents(key, TAG.octets, "key"));
  const [, secret] = sequence(inner, "ECPrivateKey");
  const bytes = contents(secret, TAG.octets, "secret");
  if (bytes.length !== 32) throw new DerError("secret");
  return toHex(bytes);
}

/** The compressed public key, 66 hexadecimal digits. */
export function publicKeyOf(secret: string): string {
  return sm2.compressPublicKeyHex(sm2.getPublicKeyFromPrivateKey(secret));
}

/** Account of a key: SM3 of the compressed key. */
export function accountOf(publicKey: string): string {
  return `0x${toHex(sm3(fromHex(publicKey)!))}`;
}

/** The SM2 signature r ‖ s over bytes, `0x` and 128 digits. */
export function sign(message: Uint8Array, secret: string): string {
  const publicKey = sm2.getPublicKeyFromPrivateKey(secret);
  return `0x${sm2.doSignature(message, secret, { hash: true, userId: SIGNER, publicKey })}`;
}

/** Whether the signature is the key's over the bytes. */
export function verifies(message: Uint8Array, signature: string, publicKey: string): boolean {
  return sm2.doVerifySignature(message, signature.replace(/^0x/, ""), publicKey, { hash: true, userId: SIGNER });
}
