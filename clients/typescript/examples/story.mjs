// A bill's life by two participants: registered, locked, refused to a second insurer, reimbursed,
// reversed in red, and proved to somebody who trusts no node.
//
// The same story stands beside the other SDKs. It needs a network to play with
// (`./scripts/devnet up`), whose keys everybody knows:
//
//     node story.mjs --node http://127.0.0.1:9944 --node http://127.0.0.1:9945 \
//         --genesis 0x… --number 0000900001 [--write DIR] [--read DIR]
//
// It takes three numbers from `--number` on. `--write` leaves the certificate for others; `--read`
// checks those that others left, and finds their bills at the nodes.

import { deepStrictEqual } from "node:assert";
import { readFile, readdir, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { CallFailed, Client, Sm2Key, calls, sm3 } from "billchain";

const [CODE, CHECK, SCENE] = ["31060188", "k7Qm2x", 3]; // 商业保险理赔
const ZERO = `0x${"00".repeat(32)}`;

const digest = (text) => `0x${Buffer.from(sm3(Buffer.from(text))).toString("hex")}`;
const following = (number, steps = 1) => String(Number(number) + steps).padStart(10, "0");

/** What the chain keeps of an original. */
function bill(number, original, { kind = "blue", total = 11050, related = null } = {}) {
  return {
    key: { code: CODE, number },
    check_code: CHECK,
    kind,
    issue_date: 20250318,
    issue_time: 94105,
    total,
    issuer: "did:bill:hospital",
    issuer_uscc: "1231000042500099AW",
    payer_type: "person",
    payer_ref: digest("a payer's pseudonym"),
    scene: SCENE,
    biz_no_hash: digest(`MZ-${number}`),
    xml_hash: digest(original),
    pdf_hash: ZERO,
    location_hash: ZERO,
    related,
  };
}

function expect(what, found, expected) {
  deepStrictEqual(found, expected, `${what} is ${JSON.stringify(found)}, expected ${JSON.stringify(expected)}`);
  console.log(`${what}: ${JSON.stringify(found)}`);
}

async function play(nodes, genesis, first) {
  const [hospital, insurerA, insurerB] = ["hospital", "insurer-a", "insurer-b"].map(
    (name) => new Client({ nodes, genesis, signer: Sm2Key.development(`//${name}`) }),
  );
  const [key, second] = [{ code: CODE, number: first }, following(first)];
  const original = `<EInvoice>${first}</EInvoice>`;

  // 1. The hospital registers a bill. Again, as after a lost answer: nothing happens twice.
  const register = calls.BillRegister.register({ summary: bill(first, original) });
  expect("registered again", (await hospital.execute(register)).repeated, false);
  expect("registered again", (await hospital.execute(register)).repeated, true);

  // 2. Insurer A locks it; insurer B is refused, with the reason.
  const lock = (claim) =>
    calls.BillUpdate.changeStatus({
      key,
      change: { lock: { scene: SCENE, claim_no: claim, signed_at: Date.now() } },
    });
  await insurerA.execute(lock(`A-${first}`));
  const refused = await insurerB.execute(lock(`B-${first}`)).catch((problem) => problem);
  if (!(refused instanceof CallFailed)) throw refused;
  expect("insurer B", [refused.code, refused.bill], ["BillUpdate.LockedByOther", `${CODE}-${first}`]);

  // 3. Insurer A reimburses it.
  await insurerA.execute(calls.BillUpdate.changeStatus({ key, change: { reimburse: { amount: 11050 } } }));
  expect("status", (await hospital.bill.get(CODE, first))?.status, "reimbursed");

  // 4. The hospital reverses another one in red.
  const other = { code: CODE, number: second };
  await hospital.execute(calls.BillRegister.register({ summary: bill(second, "<EInvoice>2</EInvoice>") }));
  const red = bill(following(first, 2), "<EInvoice>red</EInvoice>", { kind: "red", total: -11050, related: other });
  await hospital.execute(calls.BillUpdate.redReverse({ key: other, red, reason: "门诊退费" }));
  expect("status", (await hospital.bill.get(CODE, second))?.status, "red_reversed");

  // 5. Anybody checks the original, and what the chain says, without trusting a node.
  const check = await hospital.bill.verifyHash(CODE, first, CHECK, "xml", digest(original));
  expect("original", check.result, "match");
  const { certificate, proved } = await new Client({ nodes, genesis }).certified(CODE, first);
  expect("proved", [proved.status, proved.total], ["reimbursed", "110.50"]);
  return { certificate, proved };
}

const { values } = parseArgs({
  options: {
    node: { type: "string", multiple: true },
    genesis: { type: "string" },
    number: { type: "string", default: "0000900001" },
    write: { type: "string" },
    read: { type: "string" },
  },
});
const { certificate, proved } = await play(values.node, values.genesis, values.number);
if (values.write) {
  await writeFile(`${values.write}/typescript.cert`, certificate);
  await writeFile(`${values.write}/typescript.json`, JSON.stringify(proved));
}
if (values.read) {
  const reader = new Client({ nodes: values.node, genesis: values.genesis });
  for (const file of (await readdir(values.read)).filter((name) => name.endsWith(".cert")).sort()) {
    const name = file.slice(0, -".cert".length);
    const found = await reader.verify(await readFile(`${values.read}/${file}`));
    expect(`certificate of ${name}`, found, JSON.parse(await readFile(`${values.read}/${name}.json`, "utf8")));
    const [code, number] = found.bill.split("-");
    expect(`bill of ${name}`, (await reader.bill.get(code, number))?.version_hash, found.version_hash);
  }
}
console.log("the story holds");
