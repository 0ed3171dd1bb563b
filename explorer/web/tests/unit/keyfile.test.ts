import { describe, expect, it } from "vitest";
import { file } from "./files";
import { fromHex } from "../../src/lib/hex";
import { accountOf, KeyFileError, openKeyFile, publicKeyOf, readKeyFile, sign, verifies } from "../../src/lib/keyfile";
import { challengeOf } from "../../src/lib/signer";

// `billchain keys generate --development-seed //hospital`: a key that everybody has.
const pem = file("explorer/web/tests/unit/fixtures/development-key.pem").toString("utf8");
const PASSWORD = "of a key that everybody has";
const PUBLIC = "026b4fee07ea31670c259ffd4bf7ae2127da54f34fd8c08313b42f0d24c4762ae6";
const ACCOUNT = "0x2189a07736865ce8f8f7fb20328f41fa86f1242906464a99c5570d764d03583a";
const other = (name: string) => file(`crypto/tests/fixtures/keys/${name}`).toString("utf8");

function refusal(text: string, password = PASSWORD): string {
  try {
    openKeyFile(text, password);
  } catch (error) {
    if (error instanceof KeyFileError) return error.code;
    throw error;
  }
  return "opened";
}

/** The file with one byte of its DER changed. */
function changed(at: number): string {
  const der = Uint8Array.from(atob(pem.replace(/-----[^-]+-----|\s/g, "")), (byte) => byte.charCodeAt(0));
  der[at]! ^= 1;
  return `-----BEGIN ENCRYPTED PRIVATE KEY-----\n${btoa(String.fromCharCode(...der))}\n-----END ENCRYPTED PRIVATE KEY-----`;
}

describe("a key file of the chain", () => {
  it("opens with its password, and signs as the chain verifies", { timeout: 60_000 }, () => {
    const secret = openKeyFile(pem, PASSWORD);
    expect(publicKeyOf(secret)).toBe(PUBLIC);
    expect(accountOf(PUBLIC)).toBe(ACCOUNT);
    const message = new TextEncoder().encode("billchain identity challenge:0123456789abcdef");
    const signature = sign(message, secret);
    expect(signature).toMatch(/^0x[0-9a-f]{128}$/);
    expect(verifies(message, signature, PUBLIC)).toBe(true);
    expect(verifies(new Uint8Array([1]), signature, PUBLIC)).toBe(false);
  });

  it("tells a wrong password", { timeout: 60_000 }, () => expect(refusal(pem, "another")).toBe("password"));

  it.each([
    ["what is no PEM", "hello", "notPem"],
    ["a key in the clear", "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----", "inTheClear"],
    ["an empty one", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n-----END ENCRYPTED PRIVATE KEY-----", "damaged"],
    ["one that is too long", `${pem}${"x".repeat(9000)}`, "damaged"],
    ["another cipher", other("gmssl-pbes2-sm3-sm4-cbc.pem"), "algorithm"],
    ["another hash", other("bc-pbes2-sha256-aes128-cbc.pem"), "algorithm"],
    ["triple DES", other("bc-pbe-sha1-3des.pem"), "algorithm"],
  ])("refuses %s without any work", (_, text, code) => expect(refusal(text)).toBe(code));

  it("refuses every cut and every changed parameter", () => {
    for (let length = 0; length < pem.length - 30; length += 7) expect(() => readKeyFile(pem.slice(0, length))).toThrow(KeyFileError);
    // Up to the salt, and from it to the encrypted part: lengths, tags and names of algorithms.
    const intact = Array.from({ length: 30 }, (_, at) => at).filter((at) => {
      try {
        readKeyFile(changed(at));
        return true;
      } catch (error) {
        expect(error).toBeInstanceOf(KeyFileError);
        return false;
      }
    });
    expect(intact).toEqual([]);
  });
});

describe("what is signed", () => {
  const hex = (text: string) => `0x${Buffer.from(text).toString("hex")}`;
  it("is a challenge of identity", () => {
    const message = challengeOf(hex("billchain identity challenge:0123456789abcdef"));
    expect(new TextDecoder().decode(fromHex(message)!)).toBe("billchain identity challenge:0123456789abcdef");
  });

  it.each([["a transaction", "0x1b00040312"], ["too short a challenge", hex("billchain identity challenge:012345")], ["too long a one", hex(`billchain identity challenge:${"x".repeat(1025)}`)], ["no bytes", "0xzz"]])(
    "is never %s", (_, message) => expect(() => challengeOf(message)).toThrow("no challenge"),
  );
});
