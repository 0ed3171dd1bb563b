import { describe, expect, it } from "vitest";
import { askedOf, codesOf, dateOf, MAX_QUERY } from "../../src/lib/codes";

const two = { code: "31060125", number: "0000000101" };
const five = { ...two, checkCode: "a1B2c3", issueDate: 20250318, totalFen: 11050 };

describe("what somebody asks for", () => {
  it.each([
    ["two codes with a hyphen", "31060125-0000000101", two],
    ["two codes joined", "310601250000000101", two],
    ["two codes with a space", " 31060125 0000000101 ", two],
    ["full-width digits", "３１０６０１２５－０００００００１０１", two],
    ["three codes", "31060125 0000000101 a1B2c3", { ...two, checkCode: "a1B2c3" }],
    ["the id in the XML", "31060125-0000000101-a1B2c3-20250318", { ...two, checkCode: "a1B2c3", issueDate: 20250318 }],
    ["five codes", "31060125,0000000101,a1B2c3,2025-03-18,110.50", five],
    ["a QR code", "01,10,31060125,0000000101,110.50,20250318,a1B2c3,", five],
    ["the printed bill", "票据代码：31060125 票据号码：0000000101 校验码：a1B2c3 开票日期：2025年3月18日 金额合计（小写）：¥110.50", five],
    ["a date before the codes", "20250318 31060125 0000000101", two],
    ["an address with the codes", "https://example.org/check?code=31060125&number=0000000101&random=a1B2c3", { ...two, checkCode: "a1B2c3" }],
  ])("%s", (_, text, codes) => expect(askedOf(text)).toEqual({ kind: "bill", codes }));

  it("tells heights, hashes, names and the rest apart", () => {
    const hash = "ab".repeat(32);
    expect(askedOf("17")).toEqual({ kind: "height", height: 17 });
    expect(askedOf("#17")).toEqual({ kind: "height", height: 17 });
    expect(askedOf(hash.toUpperCase())).toEqual({ kind: "hash", hash: `0x${hash}` });
    expect(askedOf("did:bill:hospital")).toEqual({ kind: "did", did: "did:bill:hospital" });
    expect(askedOf("1231000042500099AW")).toEqual({ kind: "uscc", uscc: "1231000042500099AW" });
    expect(askedOf("A-2026-1")).toEqual({ kind: "text", text: "A-2026-1" });
  });

  it("reads the locator of a printed certificate", () => {
    const hash = "0123456789ABCDEF".repeat(4);
    const asked = askedOf(`BILLCHAIN:CERT:1:${hash}:31060125-0000000101:20:${hash}:${hash}`);
    expect(asked).toMatchObject({ kind: "locator", codes: two, block: 20, genesis: `0x${hash.toLowerCase()}` });
  });

  it("looks at no more than it says", () => {
    const asked = askedOf("x".repeat(100_000));
    expect(asked).toEqual({ kind: "text", text: "x".repeat(MAX_QUERY) });
  });

  it("takes one code for none", () => {
    expect(codesOf("31060125")).toBeNull();
    expect(codesOf("0000000101 31060125")).toBeNull();
  });

  it.each([["20250229", null], ["20240229", 20240229], ["2025-3-8", 20250308], ["18500101", null], ["12345678", null]])(
    "the day %s", (text, date) => expect(dateOf(text)).toBe(date),
  );
});
