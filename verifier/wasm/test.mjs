// What ./test runs in Node.js, with the built verifier in $VERIFIER.
import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { basename, extname, join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";

const { VERIFIER, VECTORS, CLI, BROWSER } = process.env;
const { load, MAX_CERTIFICATE } = await import(pathToFileURL(join(VERIFIER, "index.mjs")));
const program = readFileSync(join(VERIFIER, "billchain_verifier.wasm"));
const vectors = JSON.parse(readFileSync(VECTORS, "utf8"))
  .map((vector) => ({ ...vector, certificate: Buffer.from(vector.certificate, "hex") }));
const proving = vectors.filter((vector) => vector.proves);
const TARGET_BYTES = 200_000;

/** Does something while `instead` stands for WebAssembly.instantiate; Node.js calls that, too. */
async function instantiatedBy(instead, does) {
  const { instantiate } = WebAssembly;
  WebAssembly.instantiate = (given, ...more) =>
    (more.length > 0 ? instantiate(given, ...more) : instead(given, instantiate));
  return does().finally(() => (WebAssembly.instantiate = instantiate));
}

let running;
const verifier = await instantiatedBy(async (given, instantiate) => {
  const instance = await instantiate(given);
  running = instance.exports;
  return instance;
}, () => load(program));

/** Random bytes, the same in each run (xorshift). */
function randomness(seed) {
  let state = seed;
  const next = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
  return { below: (bound) => next() % bound, bytes: (length) => Uint8Array.from({ length }, () => next() & 255) };
}

/** One answer to whoever trusts what a vector says, and no trap. */
function answered(certificate, { genesis, checkpoint }) {
  const { verify, verifyFrom } = verifier;
  const shown = checkpoint ? verifyFrom(certificate, checkpoint) : verify(certificate, genesis);
  assert.ok((shown.proved === true) !== (typeof shown.refused === "string"), JSON.stringify(shown));
  return shown;
}

/** The same as text. */
const textOf = ({ certificate, genesis, checkpoint }) =>
  (checkpoint ? verifier.jsonFrom(certificate, checkpoint) : verifier.json(certificate, genesis));

const hash = (digits) => digits && `0x${digits}`;

const yuan = (fen) => {
  const [whole, hundredth] = [Math.trunc(Math.abs(fen) / 100), Math.abs(fen) % 100];
  return `${fen < 0 ? "-" : ""}${whole}.${String(hundredth).padStart(2, "0")}`;
};

const named = ({ code, number }) => `${code}-${number}`;

/** What is shown of what a vector says, which has other names and forms; those that are checked from the
 *  genesis do not say where from. */
function shownOf({ block, genesis, from, absent, bill, transaction, change, present, numbers, month, tally }) {
  const shown = {
    proved: true, block: block.number, block_hash: hash(block.hash), genesis: hash(genesis),
    from_block: from ? from.number : 0,
  };
  if (absent) Object.assign(shown, { bill: named(absent), exists: false });
  if (bill) {
    const made = transaction && { ...transaction, hash: hash(transaction.hash) };
    Object.assign(shown, billOf(bill), { transaction: made });
  }
  if (present) {
    const made = { ...change, evidence: hash(change.evidence) };
    Object.assign(shown, { made, present_version: present.version, present_status: present.status });
  }
  if (numbers) Object.assign(shown, numbers, { complete: numbers.missing === 0 });
  if (month) Object.assign(shown, month);
  if (tally) Object.assign(shown, inYuan(tally), { lines: tally.lines.map(inYuan) });
  return shown;
}

const inYuan = ({ fen, ...others }) => ({ ...others, total: yuan(fen) });

function billOf(bill) {
  const { code, number, payer, biz_no_hash, location_hash, registered, total, lock, ...shown } = bill;
  for (const digest of ["payer_ref", "xml_hash", "pdf_hash", "version_hash"]) shown[digest] = hash(bill[digest]);
  const reimbursements = bill.reimbursements.map(({ amount, ...others }) => ({ ...others, fen: amount }));
  return {
    ...shown, bill: named(bill), exists: true, total: yuan(total), lock: lock && lockOf(lock), reimbursements,
  };
}

function lockOf({ purpose: { evidence, claim_no, scene }, ...lock }) {
  return { ...lock, purpose: evidence ? { evidence: hash(evidence) } : { scene, claim_no } };
}

test("each vector proves what it says, or nothing", () => {
  assert.ok(vectors.length >= 20 && proving.length >= 8);
  for (const vector of vectors) {
    const { name, certificate, proves } = vector;
    const shown = answered(certificate, vector);
    if (proves) assert.deepEqual(shown, shownOf(proves), name);
    else assert.deepEqual(Object.keys(shown), ["refused"], `${name}: ${JSON.stringify(shown)}`);
  }
});

test("the genesis is a checkpoint, and a block that is not in the certificate is none", () => {
  for (const { certificate, genesis } of proving.filter(({ checkpoint }) => !checkpoint)) {
    assert.deepEqual(verifier.verifyFrom(certificate, genesis), verifier.verify(certificate, genesis));
    const refused = /checkpoint 0x07.* is neither its genesis nor a change/;
    assert.match(verifier.verifyFrom(certificate, "07".repeat(32)).refused, refused);
  }
});

/** What another program prints of each vector, given these words before and after its own. */
function compare(what, before, after) {
  const file = join(VERIFIER, "certificate");
  for (const vector of vectors) {
    const { name, certificate, genesis, checkpoint, proves } = vector;
    writeFileSync(file, certificate);
    const trusted = checkpoint ? ["--checkpoint", hash(checkpoint)] : ["--genesis", hash(genesis)];
    const [command, ...words] = [...before, file, ...trusted, ...after];
    const done = spawnSync(command, words, { encoding: "utf8" });
    assert.equal(done.status, proves ? 0 : 3, `${what}: ${name}: ${done.stderr}`);
    assert.equal(done.stdout, `${textOf(vector)}\n`, `${what}: ${name}`);
  }
}

for (const built of ["with-archive", "with-library"]) {
  const program = join(VERIFIER, built);
  test(`a program in C, ${built}, gives the same answers`, () => compare(built, [program], []));
  test(`a program in C, ${built}, asks for a block that is trusted`, () => {
    const certificate = join(VERIFIER, "index.mjs");
    const digits = "00".repeat(32);
    for (const words of [[], ["--genesis"], ["--genesis", "00"], ["--genesis", `${digits}0`], ["--trust", digits]]) {
      const done = spawnSync(program, [certificate, ...words], { encoding: "utf8" });
      assert.deepEqual([done.status, done.stdout], [1, ""], words.join(" "));
      assert.match(done.stderr, /expected: .* --genesis HASH, or --checkpoint HASH/);
    }
    assert.equal(spawnSync(program, [certificate, "--genesis", digits]).status, 3);
  });
}

if (CLI) {
  test("billchain verify gives the same answers", () => {
    compare("billchain verify", [CLI, "verify"], ["--json"]);
  });
}

const TYPES = { ".html": "text/html", ".mjs": "text/javascript", ".wasm": "application/wasm" };

/** Serves the built files and the page, and the answers that are expected. */
async function served(does) {
  const page = new URL(".", import.meta.url);
  const answers = vectors.map((vector) => {
    const { certificate, genesis, checkpoint } = vector;
    return { certificate: certificate.toString("hex"), genesis, checkpoint, answer: textOf(vector) };
  });
  const server = createServer(({ url }, response) => {
    const name = basename(url);
    const folder = name.startsWith("browser.") ? page : pathToFileURL(`${VERIFIER}/`);
    try {
      const body = name === "answers.json" ? JSON.stringify(answers) : readFileSync(new URL(name, folder));
      response.setHeader("Content-Type", TYPES[extname(name)] ?? "application/json").end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  return does(`http://127.0.0.1:${server.address().port}`).finally(() => {
    server.closeAllConnections();
    server.close();
  });
}

if (BROWSER) {
  test("a browser gives the same answers", async () => {
    const words = ["--headless", "--no-sandbox", "--disable-gpu", `--user-data-dir=${join(VERIFIER, "profile")}`,
      "--virtual-time-budget=60000", "--dump-dom"];
    const { stdout } = await served((address) =>
      promisify(execFile)(BROWSER, [...words, `${address}/browser.html`], { timeout: 120_000 }));
    assert.ok(stdout.includes(`<p>${vectors.length} of ${vectors.length} answers are the same</p>`), stdout);
  });
}

test("certificates that are cut short are refused", () => {
  for (const vector of [proving[0], proving[proving.length - 1]]) {
    const { certificate } = vector;
    for (let length = 0; length < certificate.length; length += 13) {
      assert.ok(answered(certificate.subarray(0, length), vector).refused, `${length} bytes`);
    }
  }
});

test("changed certificates are answered", () => {
  const random = randomness(20_261_130);
  for (let round = 0; round < 600; round += 1) {
    const vector = vectors[random.below(vectors.length)];
    const changed = Uint8Array.from(vector.certificate);
    for (let left = random.below(3); left >= 0 && changed.length > 0; left -= 1) {
      changed[random.below(changed.length)] ^= 1 << random.below(8);
    }
    answered(changed, vector);
  }
});

test("random bytes are refused", () => {
  const random = randomness(12);
  for (let round = 0; round < 1_500; round += 1) {
    const vector = proving[random.below(proving.length)];
    const { certificate } = vector;
    const start = certificate.subarray(0, random.below(round % 2 ? 1 : certificate.length));
    const bytes = Buffer.concat([start, random.bytes(random.below(2_000))]);
    assert.ok(answered(bytes, vector).refused);
  }
});

test("the longest certificates are refused in the same memory", () => {
  const genesis = "00".repeat(32);
  const refused = (length) => answered(new Uint8Array(length), { genesis }).refused;
  assert.match(refused(MAX_CERTIFICATE), /BCPF/);
  assert.match(refused(MAX_CERTIFICATE + 1), /longer than 1 MiB/);
  assert.match(refused(40 * MAX_CERTIFICATE), /longer than 1 MiB/);
  const held = running.memory.buffer.byteLength;
  console.log(`    ${held / 1_024} KiB of memory after the longest certificates`);
  assert.ok(held < 8 * MAX_CERTIFICATE);
});

test("memory does not grow with the number of calls", () => {
  const before = running.memory.buffer.byteLength;
  const long = new Uint8Array(MAX_CERTIFICATE);
  for (let round = 0; round < 1_000; round += 1) {
    const vector = vectors[round % vectors.length];
    const { certificate } = vector;
    answered(round % 10 ? certificate.subarray(0, certificate.length >> 1) : certificate, vector);
    answered(long, vector);
    assert.throws(() => verifier.verify(certificate, "no hash"), TypeError);
  }
  assert.equal(running.memory.buffer.byteLength, before);
});

test("the program stands alone and is small", () => {
  assert.deepEqual(WebAssembly.Module.imports(new WebAssembly.Module(program)), []);
  console.log(`    ${program.length} bytes of WebAssembly, target ${TARGET_BYTES}`);
  assert.ok(program.length < TARGET_BYTES);
});

test("a verification takes its time", () => {
  const [vector, rounds] = [proving[0], 30];
  const { certificate } = vector;
  const began = performance.now();
  for (let round = 0; round < rounds; round += 1) assert.ok(answered(certificate, vector).proved);
  const took = (performance.now() - began) / rounds;
  console.log(`    ${took.toFixed(1)} ms for a certificate of ${certificate.length} bytes`);
  assert.ok(took < 2_000);
});

test("it is loaded from all that brings its bytes", async () => {
  const { certificate, genesis } = proving[0];
  const { buffer } = Uint8Array.from(program);
  const sources = [buffer, new WebAssembly.Module(program), new Response(program), Promise.resolve(program)];
  for (const source of sources) {
    const { verify } = await load(source);
    assert.ok(verify(certificate, genesis).proved);
    assert.ok(verify(Uint8Array.from(certificate).buffer, hash(genesis.toUpperCase())).proved);
    assert.ok(verify(new DataView(Uint8Array.from([0, ...certificate]).buffer, 1), genesis).proved);
  }
  await assert.rejects(load(new Response("", { status: 404 })), /cannot be fetched.*status 404/);
  const empty = Uint8Array.from([0, 97, 115, 109, 1, 0, 0, 0]);
  await assert.rejects(load(empty), /no verifier: it has no memory, billchain_alloc/);
});

test("what is no certificate or no hash is told", () => {
  const { certificate, genesis } = proving[0];
  for (const other of ["", genesis.slice(1), `${genesis}0`, `0y${genesis.slice(2)}`, null, 7]) {
    assert.throws(() => verifier.verify(certificate, other), /hash of the genesis.*expected 64/);
    assert.throws(() => verifier.verifyFrom(certificate, other), /hash of the checkpoint.*expected 64/);
  }
  for (const other of ["424350", null, undefined, [66, 67]]) {
    assert.throws(() => verifier.verify(other, genesis), /certificate is no bytes/);
    assert.throws(() => verifier.verifyFrom(other, genesis), /certificate is no bytes/);
  }
});

test("no number is rounded, and what is taken is given back", async () => {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const text = Buffer.from('{"bills":9007199254740993}');
  const given = [];
  const answer = () => {
    new Uint8Array(memory.buffer, 50_000).set([text.length, 0, 0, 0, ...text]);
    return 50_000;
  };
  const exports = {
    memory,
    billchain_verify: answer,
    billchain_verify_from: answer,
    billchain_alloc: (length) => (length > 40_000 ? 0 : 1_024),
    billchain_free: (at, length) => given.push([at, length]),
  };
  const other = await instantiatedBy(async () => ({ exports }), () => load(program));
  const genesis = "00".repeat(32);
  for (const [verify, json] of [[other.verify, other.json], [other.verifyFrom, other.jsonFrom]]) {
    assert.throws(() => verify(new Uint8Array(5), genesis), /bills has too many digits/);
    given.length = 0;
    assert.equal(json(new Uint8Array(5), genesis), text.toString());
    assert.deepEqual(given, [[1_024, 5], [1_024, 32], [50_000, 4 + text.length]]);
  }
  assert.throws(() => other.verify(new Uint8Array(50_000), genesis), /no memory left/);
});

test("each field is declared in TypeScript", () => {
  const declared = readFileSync(join(VERIFIER, "index.d.mts"), "utf8");
  const names = new Set();
  const gather = (value) => {
    if (value === null || typeof value !== "object") return;
    if (!Array.isArray(value)) Object.keys(value).forEach((name) => names.add(name));
    Object.values(value).forEach(gather);
  };
  vectors.forEach((vector) => gather(answered(vector.certificate, vector)));
  assert.ok(names.size >= 30, `${names.size} fields`);
  for (const name of names) assert.match(declared, new RegExp(`\\b${name}\\??:`), name);
});
