import { describe, expect, it } from "vitest";
import { load } from "../../../../verifier/wasm/index.mjs";
import { file } from "./files";
import { differences, type Shown } from "../../src/lib/certificate";

interface Vector { name: string; certificate: string; genesis: string; checkpoint?: string; proves: unknown }
const vectors = JSON.parse(file("verifier/vectors/certificates.json").toString("utf8")) as Vector[];
const verifier = await load(file("explorer/web/verifier/billchain_verifier.wasm"));
const judged = (name: string) => {
  const vector = vectors.find((one) => one.name === name)!;
  return verifier.verify(Buffer.from(vector.certificate, "hex"), vector.genesis);
};

describe("the verifier that the page carries", () => {
  it("judges every vector as it has to", () => {
    const whole = vectors.filter((vector) => vector.checkpoint === undefined);
    expect(whole.length).toBeGreaterThan(40);
    for (const vector of whole) {
      const answer = verifier.verify(Buffer.from(vector.certificate, "hex"), vector.genesis);
      expect(answer.proved === true, vector.name).toBe(vector.proves !== null);
    }
  });

  it("believes no other genesis", () => {
    const vector = vectors.find((one) => one.name === "a bill that was made before")!;
    expect(verifier.verify(Buffer.from(vector.certificate, "hex"), "00".repeat(32)).proved).toBeUndefined();
  });
});

describe("what the server shows beside what is proved", () => {
  const proved = judged("a bill that was made before");
  if (!proved.proved || !("status" in proved)) throw new Error("no bill");
  const shown: Shown = {
    code: proved.bill.split("-")[0]!, number: proved.bill.split("-")[1]!, status: proved.status, kind: proved.kind, version: proved.version,
    total_fen: Math.round(Number(proved.total) * 100), issue_date: proved.issue_date, issuer: proved.issuer, xml_hash: proved.xml_hash, check_code: proved.check_code,
  };

  it("is the same", () => expect(differences(shown, proved)).toEqual([]));

  it.each<[string, Partial<Shown>]>([
    ["status", { status: "reimbursed" }], ["total", { total_fen: 1 }], ["version", { version: 99 }], ["issuer", { issuer: "did:bill:other" }], ["kind", { kind: "red" }],
    ["xml_hash", { xml_hash: `0x${"00".repeat(32)}` }], ["issue_date", { issue_date: 20260101 }], ["check_code", { check_code: "zzzzzz" }], ["bill", { number: "0000000008" }],
  ])("is another %s, which is found", (field, change) => {
    expect(differences({ ...shown, ...change }, proved).map((one) => one.field)).toEqual([field]);
  });

  it("is compared as far as it was said", () => {
    expect(differences({ code: shown.code, number: shown.number, status: shown.status, total_fen: null }, proved)).toEqual([]);
  });
});
