// The vectors that all SDKs share: calls, signatures, key files and certificates.
//
//     node vectors.mjs ROOT DIRECTORY
//
// ROOT is the repository; DIRECTORY has the key files.

import { readFile } from "node:fs/promises";
import { BillChainError, CertificateRefused, Codec, Sm2Key, chain, sm3, verify, verifyFrom } from "billchain";

const [root, directory] = process.argv.slice(2);
const read = async (path) => JSON.parse(await readFile(`${root}/${path}`, "utf8"));
const hex = (bytes) => `0x${Buffer.from(bytes).toString("hex")}`;
const unhex = (text) => Uint8Array.from(Buffer.from(text.replace(/^0x/, ""), "hex"));
let [passed, failed] = [0, 0];

function check(name, found, expected) {
  if (found === expected) passed += 1;
  else {
    failed += 1;
    console.log(`FAILED ${name}: ${found}, expected ${expected}`);
  }
}

/** What comes out in hexadecimal digits, or the place or code of what is refused. */
async function outcome(work) {
  try {
    return hex(await work());
  } catch (problem) {
    if (problem instanceof BillChainError) return problem.field ?? problem.code;
    throw problem;
  }
}

const vectors = await read("clients/vectors.json");
const codec = new Codec(chain);
for (const one of vectors.calls) check(one.name, await outcome(() => codec.call(one.form)), one.call);
for (const one of vectors.refused) check(one.name, await outcome(() => codec.call(one.form)), one.field);
for (const one of vectors.signatures) {
  const key = Sm2Key.development(one.seed);
  check("public key", hex(key.publicKey()), one.public_key);
  check("account", hex(sm3(key.publicKey())), one.account);
  check("signature", hex(key.sign(unhex(one.message))), one.signature);
}
for (const { file, password, public_key: expected } of vectors.keys) {
  const bytes = await readFile(`${directory}/${file}`);
  const load = (secret) => async () => (await Sm2Key.read(bytes, secret)).publicKey();
  check(file, await outcome(load(password ?? undefined)), expected);
  if (password) check(`wrong password of ${file}`, await outcome(load("another")), "WrongPassword");
}
const whole = await readFile(`${directory}/${vectors.keys[0].file}`);
for (let length = 0; length < whole.length - 40; length += 7) {
  const found = await outcome(async () => (await Sm2Key.read(whole.subarray(0, length))).publicKey());
  check(`${length} bytes`, found, "Malformed");
}
for (const one of await read("verifier/vectors/certificates.json")) {
  const certificate = unhex(one.certificate);
  let block;
  try {
    const proved = one.checkpoint ? await verifyFrom(certificate, one.checkpoint) : await verify(certificate, one.genesis);
    block = proved.block;
  } catch (problem) {
    if (!(problem instanceof CertificateRefused)) throw problem;
  }
  check(one.name, block, one.proves?.block.number);
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
