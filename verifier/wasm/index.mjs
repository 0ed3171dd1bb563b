// Checks certificates of the BillChain (链上凭证) without a node, in browsers and in Node.js.
//
//     import { load } from "./index.mjs";
//
//     const { verify, verifyFrom } = await load(fetch("billchain_verifier.wasm"));
//     const shown = verify(certificate, genesis); // or verifyFrom(certificate, checkpoint)
//     if (shown.proved) …
//
// index.d.mts declares the types, and docs/certificates.md says what the fields are.

/** Most bytes of a certificate. */
export const MAX_CERTIFICATE = 1_048_576;

const [GENESIS, CHECKPOINT] = ["billchain_verify", "billchain_verify_from"];
const EXPORTS = ["memory", "billchain_alloc", "billchain_free", GENESIS, CHECKPOINT];

export async function load(source) {
  const given = await source;
  const compiled = given instanceof WebAssembly.Module ? given : await compile(given);
  const { exports } = await WebAssembly.instantiate(compiled);
  const missing = EXPORTS.filter((name) => !(name in exports));
  if (missing.length > 0) throw new TypeError(`this is no verifier: it has no ${missing.join(", ")}`);
  const asking = (verify, block) => (certificate, hash) =>
    ask(exports, verify, bytesOf(certificate), digestOf(hash, block));
  const [json, jsonFrom] = [asking(GENESIS, "genesis"), asking(CHECKPOINT, "checkpoint")];
  return {
    json,
    jsonFrom,
    verify: (certificate, genesis) => JSON.parse(json(certificate, genesis), exact),
    verifyFrom: (certificate, checkpoint) => JSON.parse(jsonFrom(certificate, checkpoint), exact),
  };
}

async function compile(given) {
  if (typeof Response === "undefined" || !(given instanceof Response)) return WebAssembly.compile(given);
  if (!given.ok) throw new Error(`the verifier cannot be fetched: ${given.url}: status ${given.status}`);
  return WebAssembly.compile(await given.arrayBuffer());
}

/** The answer of one of the verifier's functions to a certificate, as text. */
function ask(verifier, verify, certificate, trusted) {
  // One byte more than a certificate may have: then it is told that it is too long.
  const bytes = certificate.subarray(0, MAX_CERTIFICATE + 1);
  const taken = [];
  const hand = (given) => {
    const length = Math.max(given.length, 1);
    const at = verifier.billchain_alloc(length);
    if (at === 0) throw new RangeError("the verifier has no memory left");
    taken.push([at, length]);
    new Uint8Array(verifier.memory.buffer, at, given.length).set(given);
    return at;
  };
  try {
    const answer = verifier[verify](hand(bytes), bytes.length, hand(trusted));
    if (answer === 0) throw new Error("the verifier gave no answer");
    const length = new DataView(verifier.memory.buffer).getUint32(answer, true);
    taken.push([answer, 4 + length]);
    return new TextDecoder().decode(new Uint8Array(verifier.memory.buffer, answer + 4, length));
  } finally {
    for (const [at, length] of taken) verifier.billchain_free(at, length);
  }
}

function bytesOf(given) {
  if (given instanceof ArrayBuffer) return new Uint8Array(given);
  if (ArrayBuffer.isView(given)) return new Uint8Array(given.buffer, given.byteOffset, given.byteLength);
  throw new TypeError("the certificate is no bytes: expected an ArrayBuffer or a Uint8Array");
}

/** The bytes of a hash in hexadecimal digits. */
function digestOf(text, block) {
  if (typeof text !== "string" || !/^(0x)?[0-9a-fA-F]{64}$/.test(text)) {
    throw new TypeError(`the hash of the ${block} has another form: expected 64 hexadecimal digits`);
  }
  return Uint8Array.from(text.slice(-64).match(/../g), (digits) => Number.parseInt(digits, 16));
}

/** No number is rounded in silence. */
function exact(name, value) {
  if (typeof value !== "number" || Number.isSafeInteger(value)) return value;
  throw new RangeError(`${name} has too many digits for JavaScript: read the text that json gives`);
}
