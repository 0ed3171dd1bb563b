import { describe, expect, it } from "vitest";
import { fenOf, inWan, perMille, yuan, yuanInWan } from "../../src/lib/money";

describe("amounts", () => {
  it.each([
    [0, "0.00"], [5, "0.05"], [-5, "-0.05"], [123456, "1,234.56"], [-100, "-1.00"], [99999999999999, "999,999,999,999.99"],
  ])("%i fen are %s yuan", (fen, text) => expect(yuan(fen)).toBe(text));

  it("does not lose a fen of a sum beyond what a double holds", () => {
    expect(yuan(123456789012345678901n)).toBe("1,234,567,890,123,456,789.01");
  });

  it.each([
    [9_999, { number: "9,999", unit: "" }], [10_000, { number: "1.00", unit: "万" }], [99_999_999, { number: "9,999.99", unit: "万" }],
    [100_000_000, { number: "1.00", unit: "亿" }], [-123_456_789, { number: "-1.23", unit: "亿" }],
  ])("%i in words of ten thousand", (number, short) => expect(inWan(number)).toEqual(short));

  it("keeps the fen of small amounts", () => {
    expect(yuanInWan(999_999)).toEqual({ number: "9,999.99", unit: "" });
    expect(yuanInWan(1_000_000)).toEqual({ number: "1.00", unit: "万" });
  });

  it.each([
    ["110.50", 11050], ["¥1,234.5", 123450], ["￥0.05", 5], ["-3", -300], ["12元", 1200], ["1,23.00", null], ["abc", null], ["1.234", null], ["", null],
  ])("reads %s", (text, fen) => expect(fenOf(text)).toBe(fen));

  it("compares with nothing as with nothing", () => {
    expect(perMille(0, 5)).toBeNull();
    expect(perMille(200, 250)).toBe(250);
    expect(perMille(-100, -50)).toBe(500);
  });
});
