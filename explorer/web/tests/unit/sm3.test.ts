import { sm3 as other } from "sm-crypto-v2";
import { describe, expect, it } from "vitest";
import { toHex } from "../../src/lib/hex";
import { pbkdf2, Sm3, sm3, sm3OfBlob } from "../../src/lib/sm3";

const bytes = (text: string) => new TextEncoder().encode(text);

describe("SM3", () => {
  it.each([
    ["", "1ab21d8355cfa17f8e61194831e81a8f22bec8c728fefb747ed035eb5082aa2b"],
    ["abc", "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"],
    ["abcd".repeat(16), "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"],
  ])("has the standard's digest of %j", (text, digest) => expect(toHex(sm3(bytes(text)))).toBe(digest));

  it("agrees with another implementation at every length up to three blocks", () => {
    for (let length = 0; length <= 200; length++) {
      const input = Uint8Array.from({ length }, (_, at) => (at * 37 + length) & 255);
      expect(toHex(sm3(input)), String(length)).toBe(other(input));
    }
  });

  it("is the same in whatever pieces", async () => {
    const input = Uint8Array.from({ length: 1000 }, (_, at) => at & 255);
    for (const piece of [1, 7, 63, 64, 65, 130]) {
      const digest = new Sm3();
      for (let at = 0; at < input.length; at += piece) digest.update(input.subarray(at, at + piece));
      expect(toHex(digest.digest())).toBe(toHex(sm3(input)));
    }
    const large = new Uint8Array((1 << 20) * 2 + 5).fill(9);
    const told: number[] = [];
    expect(toHex(await sm3OfBlob(new Blob([large]), (done) => told.push(done)))).toBe(toHex(sm3(large)));
    expect(told).toEqual([1 << 20, 1 << 21, large.length]);
  });

  it("stretches passwords as HMAC-SM3 says", () => {
    for (const password of ["", "secret", "长".repeat(40)]) {
      const salt = bytes("0123456789abcdef");
      let block = other(Uint8Array.from([...salt, 0, 0, 0, 1]), { key: bytes(password) });
      let sum = BigInt(`0x${block}`);
      for (let round = 1; round < 20; round++) {
        block = other(Uint8Array.from(block.match(/../g)!, (pair) => Number.parseInt(pair, 16)), { key: bytes(password) });
        sum ^= BigInt(`0x${block}`);
      }
      expect(toHex(pbkdf2(bytes(password), salt, 20, 32))).toBe(sum.toString(16).padStart(64, "0"));
    }
  });
});
