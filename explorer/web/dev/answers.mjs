// Made-up answers for work on the page (see serve.mjs). The bill 31060126-0000000007 and its certificate are
// of the verifier's vectors, so that checking in the browser is real.

import { readFile } from "node:fs/promises";

const vectors = JSON.parse(await readFile(new URL("../../../verifier/vectors/certificates.json", import.meta.url), "utf8"));
const present = vectors.find((one) => one.name === "a bill that was made before");
const absent = vectors.find((one) => one.name === "no such bill in its group");
const genesis = `0x${present.genesis}`;
const hash = (seed) => `0x${Array.from({ length: 64 }, (_, at) => ((seed * 7919 + at * 31 + ((seed * at) % 17)) % 16).toString(16)).join("")}`;
const now = Date.parse("2026-12-01T02:30:00Z");

export async function certificateOf(path) {
  const found = path.includes("0000000007") ? present : path.includes("0000000301") ? absent : null;
  return found && Buffer.from(found.certificate, "hex");
}

const of = present.proves.bill;
const bill = {
  code: of.code, number: of.number, kind: of.kind, issue_date: of.issue_date, issue_time: of.issue_time, total_fen: of.total, issuer: of.issuer,
  issuer_name: "上海市浦江示范医院（虚构）", scene: of.scene, status: of.status, version: of.version ?? 1, holder: null, reimbursed_fen: 0, updated: of.updated,
  check_code: of.check_code, issuer_uscc: of.issuer_uscc, payer_type: "person", payer_ref: `0x${of.payer_ref}`, biz_no_hash: `0x${of.biz_no_hash}`,
  xml_hash: `0x${of.xml_hash}`, pdf_hash: `0x${of.pdf_hash}`, location_hash: `0x${of.location_hash}`, related: null, version_hash: `0x${of.version_hash ?? "00"}`, lock: null, reimbursements: [],
};
const STATUSES = ["normal", "locked", "reimbursed", "partly_reimbursed", "red_reversed", "normal", "normal"];
const rows = Array.from({ length: 20 }, (_, at) => ({
  ...bill, number: String(101 + at).padStart(10, "0"), total_fen: 11050 + at * 7993, status: STATUSES[at % 7], issuer: `did:bill:hospital-${at % 4}`,
  issuer_name: ["上海市浦江示范医院（虚构）", "示范第二人民医院（虚构）", "示范儿童医院（虚构）", "示范区中心医院（虚构）"][at % 4], holder: at % 7 === 1 ? "did:bill:insurer-a" : null, updated: now - at * 61_000,
}));
rows[0] = bill;
const failure = { pallet: "BillUpdate", name: "LockedByOther", docs: "Another participant holds the bill.", details: "holder: did:bill:insurer-a" };
const transactions = Array.from({ length: 10 }, (_, at) => ({
  hash: hash(at + 5), block: 1200 - at, index: 1 + at, time: now - at * 900, pallet: at % 3 ? "BillUpdate" : "BillRegister", call: at % 3 ? "change_status" : "register",
  signer: at % 3 ? "did:bill:insurer-b" : "did:bill:hospital", signer_name: at % 3 ? "示范保险公司乙（虚构）" : null, success: at !== 4, error: at === 4 ? failure : null,
}));
const block = (number) => ({ number, hash: hash(number), time: now - (1200 - number) * 900, transactions: 3 + (number % 40), events: 12, proposer: "运营方一", round: 0 });
const VALIDATORS = ["运营方一", "运营方二", "运营方三", "运营方四"];
const life = {
  bill: { ...bill, status: "partly_reimbursed", number: "0000000102", total_fen: 600_000, version: 4, reimbursed_fen: 250_000, reimbursements: [{ payer: "did:bill:medical", scene: 1, amount_fen: 200_000 }, { payer: "did:bill:insurer-a", scene: 3, amount_fen: 50_000 }], lock: { holder: "did:bill:insurer-a", scene: 3, claim_no: "A-2026-1", grant: hash(88), evidence: null, since: now - 90_000, expires: now + 600_000 } },
  versions: ["register", "lock", "reimburse", "lock"].map((cause, at) => ({
    version: at + 1, hash: hash(at + 40), cause, operator: at ? "did:bill:medical" : "did:bill:hospital", operator_name: at ? "市医保中心（虚构）" : "上海市浦江示范医院（虚构）", reason: at === 2 ? "门诊报销" : null, evidence: null, proposer: null,
    block: 1000 + at * 20, index: 2, transaction: hash(at + 60), time: now - (4 - at) * 3_600_000, status: ["normal", "locked", "partly_reimbursed", "locked"][at],
    changes: at ? [{ field: "status", before: "normal", after: "locked" }, { field: "lock.holder", before: null, after: "did:bill:medical" }, { field: "reimbursements.0.amount_fen", before: null, after: 200_000 }, { field: "lock.expires", before: null, after: now }] : [],
  })),
  holds: [{ holder: "did:bill:medical", holder_name: "市医保中心（虚构）", scene: 1, claim_no: "M-2026-77", grant: null, from: now - 9_000_000, until: now - 7_200_000, end: "reimbursed", amount_fen: 200_000 }, { holder: "did:bill:insurer-a", scene: 3, claim_no: "A-2026-1", grant: hash(88), from: now - 90_000, until: null, end: "open", amount_fen: null }],
  related: [{ relation: "red", bill: { ...bill, kind: "red", number: "0000000103", total_fen: -600_000 } }, { relation: "balance", bill: { ...bill, number: "0000000104", total_fen: 420_000 } }],
  grants: [{ grant: hash(88), holder: "did:bill:patient", subject: "did:bill:insurer-a", time: now - 90_000, transaction: hash(9), purpose: "lock" }],
  contentions: [{ block: 1100, time: now - 4_000_000, winner: "did:bill:insurer-a", contenders: [{ claimant: "did:bill:insurer-a", scene: 3, signed_at: now - 4_001_000, weight: 10, transaction: hash(3) }, { claimant: "did:bill:insurer-b", scene: 3, signed_at: now - 4_000_900, weight: 10, transaction: hash(4) }], unnamed: 0 }],
  cases: [{ case: 1, code: bill.code, number: "0000000102", open: false, operator: "did:bill:admin", reason: "重复报销争议", evidence: hash(7), opened: now - 5e6, closed: now - 4e6 }],
  mismatches: [{ transaction: hash(11), block: 1111, time: now - 3e6, reporter: "did:bill:insurer-b", what: "xml_hash", detail: "送检原件与链上摘要不一致" }],
  parties: [{ relation: "issuer", party: "did:bill:hospital", since: null }, { relation: "insurer", party: "did:bill:insurer-a", since: now - 9e6 }],
  refused: [transactions[4]],
};
const months = Array.from({ length: 12 }, (_, at) => ({ key: String(202601 + at), count: 41_000_000 + ((at * 7919) % 13) * 900_000, fen: 1_900_000_000_000 + ((at * 104729) % 17) * 90_000_000_000 }));
const groups = {
  region: ["31", "32", "33", "34"], class: ["06", "0601", "0602", "02"], issuer: ["did:bill:hospital", "did:bill:hospital-1", "did:bill:hospital-2"], scene: ["1", "2", "3"], status: ["normal", "locked", "reimbursed", "red_reversed"],
};
function statistics(query) {
  const keys = groups[query.get("by")];
  const found = keys ? keys.map((key, at) => ({ key, name: query.get("by") === "issuer" ? `示范医院 ${at + 1}（虚构）` : null, count: Math.floor(9_000_000 / (at + 1)), fen: Math.floor(480_000_000_000 / (at + 1)) })) : months;
  const before = found.map((row) => ({ ...row, key: keys ? row.key : String(Number(row.key) - 100), count: Math.round(row.count * 0.93), fen: Math.round(row.fen * 1.02) }));
  const sum = (all) => all.reduce((total, row) => ({ count: total.count + row.count, fen: total.fen + row.fen }), { count: 0, fen: 0 });
  return { rows: found, before: query.get("compare") ? before : null, total: sum(found), total_before: query.get("compare") ? sum(before) : null };
}
const record = (number, act, more = {}) => ({ number, time: now - 1e7 + number * 1000, block: 10, transaction: hash(number), operator: "did:bill:admin", act, reason: "新增业务", evidence: hash(number + 1), changes: [], ...more });
const page = (items) => ({ items, next: null, total: items.length });
const participant = { did: "did:bill:hospital", name: "上海市浦江示范医院（虚构）", kind: "organisation", roles: ["issuer"], status: "active", registered: now - 1e9 };
const node = { did: "did:bill:gateway", operator_name: "示范网关（虚构）", status: "active", participants: 3, registered: now - 1e9 };
const scene = { scene: 9, name: "教育资助", status: "active", mode: "cumulative", weight: 10, version: 2, updated: now - 1e8, open_proposal: 3 };
const policy = { policy: 7, version: 2, newest: 2, effective: 2, name: "商业保险理赔金额上限", status: "effective", effect: "deny", priority: 10, scenes: [3], operations: ["lock", "reimburse"], keywords: ["商保", "上限"], submitter: "did:bill:admin", updated: now };
const grant = { grant: hash(88), holder: "did:bill:patient", subject: "did:bill:insurer-a", scene: 3, valid_from: now - 1e9, valid_until: now + 1e9, status: "active", uses: 2, updated: now };
const motion = { motion: hash(70), index: 4, proposer: "did:bill:operator-1", pallet: "Participant", call: "register", threshold: 3, ayes: 3, nays: 0, status: "executed", proposed: now - 6e5, ended: now - 5e5 };

const table = {
  "/status": () => ({ chain: "billchain-dev", genesis, indexed: 1200, head: 1200, lag_ms: 240, gaps: 0, problem: null, liars: [] }),
  "/summary": () => ({ bills: 512_345_678, fen: 23_456_789_012_345, today: { count: 1_234_567, fen: 9_876_543_210 }, by_status: [["normal", 480_000_000], ["reimbursed", 18_000_000], ["locked", 4_000_000], ["partly_reimbursed", 2_000_000], ["red_reversed", 8_345_678]].map(([key, count]) => ({ key, count, fen: 1 })), tps: 208.4, participants: 57, transactions: 612_345_678 }),
  "/search": (query) => ({ hits: /31060126/.test(query.get("q")) && !/301/.test(query.get("q")) ? [{ kind: "bill", id: "31060126-0000000007", title: "31060126-0000000007", detail: "¥1,234.56" }, { kind: "block", id: "7", title: "7", detail: null }] : [], looked: ["bill", "block", "transaction", "participant", "grant", "policy", "scene", "motion", "dispute"].map((kind) => ({ kind, found: 0 })), indexed: 1200 }),
  "/bills": () => page(rows), "/blocks": () => page(Array.from({ length: 10 }, (_, at) => block(1200 - at))), "/transactions": () => page(transactions),
  "/participants": () => page([participant, { ...participant, did: "did:bill:insurer-a", name: "示范保险公司甲（虚构）", roles: ["user"], status: "frozen" }]), "/nodes": () => page([node]), "/scenes": () => page([scene]), "/policies": () => page([policy]), "/grants": () => page([grant]),
  "/disputes": () => page(life.cases), "/motions": () => page([motion]), "/access-log": () => page([{ id: 1, time: now, who: "auditor-1", role: "auditor", address: "10.0.0.7", action: "look", target: "31060126-0000000007" }]),
  "/access-log/check": () => ({ entries: 1, head: hash(1), intact: true, broken_at: null }),
  "/rules": () => ({ version: 3, newest: 3, change: { before: null, after: { from: "normal", operation: "void", scene: 9, roles: ["issuer"], to: "voided" }, time: now, transaction: hash(2) }, rules: [{ from: null, operation: "register", scene: null, roles: ["issuer"], to: "normal" }, { from: "normal", operation: "lock", scene: null, roles: ["user", "platform"], to: "locked" }, { from: "locked", operation: "unlock", scene: null, roles: ["user"], to: "before_lock" }] }),
  "/validators": () => ({ validators: VALIDATORS.map((name, at) => ({ validator: hash(at), name, operator: hash(at + 9), key: hash(at + 20), power: 1, signed: 1200 - at * 3, missed: at * 3, missed_in_row: at === 3 ? 2 : 0, last_signed: 1200 - at, proposed: 300 })), observers: [{ name: "审计局观察节点", peer_id: "12D3KooWExample" }], recent: Array.from({ length: 100 }, (_, at) => ({ block: 1101 + at, round: 0, missing: at % 33 === 5 ? [hash(3)] : [] })), equivocations: [] }),
  "/operations": () => ({ nodes: VALIDATORS.map((name, at) => ({ name, address: `127.0.0.1:994${4 + at}`, reachable: at !== 3, height: at === 3 ? null : 1200, lag_ms: 200, peers: 3, version: "0.9.0", rules: 9, release: 9, disk_free: at === 2 ? 4e9 : 8e11, disk_total: 1e12, memory: 6e8, problem: at === 3 ? "连接被拒绝" : null, following: at === 0 })), upgrade: { rules: 9, scheduled: { spec_version: 10, height: 90_000 }, ready: 2, power: 4, confirmed: ["运营方一", "运营方二"] }, index: { height: 1200, blocks_per_second: 1.11, size: 7.3e9, errors: [] } }),
};
const session = (role) => ({ user: role === "public" ? null : { name: "审计员甲", role, did: null }, csrf: "x", methods: ["sm2", "oidc", "password"] });

export function answer(path, query, role, body) {
  if (path === "/session" || path === "/session/password") return session(role);
  if (path === "/statistics") return statistics(query);
  if (path === "/verify") return body.number === "0000000301" ? { verdict: "not_found", bill: null, elements: [] } : { verdict: "genuine", bill, elements: [{ field: "check_code", matches: true }, { field: "total", matches: true }] };
  if (Object.hasOwn(table, path)) return table[path](query);
  const [, list, id] = /^\/([a-z]+)\/(.+)$/.exec(path) ?? [];
  switch (list) {
    case "bills": return id.endsWith("0000000301") ? undefined : id.endsWith("0000000007") ? { ...life, bill, versions: life.versions.slice(0, 1), holds: [], related: [], contentions: [], cases: [], mismatches: [], grants: [], refused: [transactions[4]] } : life;
    case "blocks": return { ...block(Number(id) || 1200), parent: hash(1), state_root: hash(2), extrinsics_root: hash(3), bytes: 40_321, rules: 9, votes: VALIDATORS.map((name, at) => ({ validator: hash(at), name, signed: at !== 3 })), verified: true, digest: [] };
    case "transactions": return { ...transactions[4], signer_roles: ["user"], nonce: 17, args: { key: { code: "31060126", number: "0000000007" }, expected_version: null, change: { lock: { scene: 3, claim_no: "B-2026-9", on_behalf_of: null, grant: null, signed_at: now } } }, events: [{ pallet: "System", name: "ExtrinsicFailed", details: "BillUpdate.LockedByOther", error: failure }], bills: [{ code: "31060126", number: "0000000007" }], raw: "0x".padEnd(700, "5a") };
    case "participants": return { ...participant, account: hash(4), public_key: "sm2:02aa…", uscc_hash: hash(6), offices: [], history: [record(1, "registered"), record(2, "status_changed", { changes: [{ field: "status", before: "active", after: "frozen" }] })], nodes: [node], issued: 123_456, held: 0 };
    case "nodes": return { ...node, credential_hash: hash(5), account: hash(6), links: [{ participant: "did:bill:hospital", name: participant.name, since: now - 1e9, until: null }], history: [record(1, "registered"), record(2, "linked")] };
    case "scenes": return { ...scene, rules: { mode: "cumulative", weight: 10, lock_period: 600000, needs: { payer_ref: true } }, related_data: ["成绩单", "在读证明"], approvals: [{ proposal: 1, change: { kind: "register", name: "教育资助", rules: { mode: "cumulative" } }, proposer: "did:bill:admin", proposed: now - 2e8, reason: "新增业务", result: "approved", approver: "did:bill:admin-2", comment: "同意", ended: now - 1e8, transaction: hash(1) }], versions: [{ version: 2, time: now, transaction: hash(8), changes: [{ field: "rules.weight", before: 5, after: 10 }] }], whitelist: ["did:bill:medical"] };
    case "policies": return { policy: 7, versions: [1, 2].map((version) => ({ ...policy, version, status: version === 2 ? "effective" : "revoked", conditions: { all: [{ field: "total_fen", less: 100_000_000 }, { field: "kind", equals: "blue" }] }, format: "json", body_hash: hash(version), document: '{"effect": "deny"}', approval_hash: hash(3), steps: ["submitted", "approved", "finalised", "made_effective"].map((act, index) => ({ index, act, actor: "did:bill:admin", time: now, block: 9, transaction: hash(index), hash: hash(4), reason: null, flow_hash: hash(index + 9) })), changes: version === 2 ? [{ field: "conditions", before: 5, after: 6 }] : [] })) };
    case "grants": return { ...grant, registrar: "did:bill:patient", bills: [{ code: "31060126", number: "0000000007" }], condition: null, history: [{ ...record(1, "registered"), bill: null }, { ...record(2, "used"), bill: { code: "31060126", number: "0000000007" } }] };
    case "disputes": return { ...life.cases[0], parties: ["did:bill:insurer-a", "did:bill:insurer-b"], decision: { in_favour_of: "did:bill:insurer-a", operator: "did:bill:admin", time: now, reason: "先申请", evidence: hash(2) }, acts: [record(1, "opened"), record(2, "locked"), record(3, "closed")] };
    case "motions": return { ...motion, args: { did: "did:bill:insurer-c", name: "示范保险公司丙（虚构）", roles: ["user"] }, votes: VALIDATORS.slice(0, 3).map((name) => ({ member: hash(3), name, approve: true, time: now, transaction: hash(5) })), error: null, transaction: hash(6) };
    default: return undefined;
  }
}
