/**
 * What somebody types, pastes or scans: bills by two, three or five codes (票据代码、号码、校验码、
 * 开票日期、金额), the text of a bill's QR code, a certificate's locator, heights, hashes and names.
 */

import { fenOf } from "./money";

export interface Codes {
  code: string;
  number: string;
  checkCode?: string;
  /** yyyymmdd */
  issueDate?: number;
  totalFen?: number;
}

export type Asked =
  | { kind: "bill"; codes: Codes }
  | { kind: "locator"; genesis: string; codes: Codes; block: number; blockHash: string; file: string }
  | { kind: "hash"; hash: string }
  | { kind: "height"; height: number }
  | { kind: "did"; did: string }
  | { kind: "uscc"; uscc: string }
  | { kind: "text"; text: string };

const LOCATOR = /^BILLCHAIN:CERT:1:([0-9a-f]{64}):(\d{8})-(\d{10}):(\d{1,10}):([0-9a-f]{64}):([0-9a-f]{64})$/i;
/** Names before values on printed bills, which are left out. */
const LABELS = /票据代码|票据号码|代码|号码|校验码|随机码|开票日期|日期|总?金额(?:合计)?|合计|小写/g;

/** Longest text that is looked at. */
export const MAX_QUERY = 512;

/** Full-width digits, letters and signs as ASCII. */
export function halfWidth(text: string): string {
  return text
    .replace(/[\uff01-\uff5e]/g, (char) => String.fromCharCode(char.charCodeAt(0) - 0xfee0))
    .replace(/\u3000/g, " ");
}

/** What a text asks for, by its form alone; the server looks up what else it may be. */
export function askedOf(given: string): Asked {
  const text = halfWidth(given.slice(0, MAX_QUERY)).trim();
  const locator = LOCATOR.exec(text);
  if (locator) {
    const [, genesis, code, number, block, blockHash, file] = locator as unknown as string[];
    const hash = (digits: string) => `0x${digits.toLowerCase()}`;
    return {
      kind: "locator", genesis: hash(genesis!), codes: { code: code!, number: number! }, block: Number(block),
      blockHash: hash(blockHash!), file: hash(file!),
    };
  }
  if (/^(0x)?[0-9a-f]{64}$/i.test(text)) return { kind: "hash", hash: `0x${text.slice(-64).toLowerCase()}` };
  if (/^did:[a-z0-9]+:\S+$/i.test(text)) return { kind: "did", did: text };
  const codes = codesOf(text);
  if (codes) return { kind: "bill", codes };
  if (/^#?\d{1,10}$/.test(text)) return { kind: "height", height: Number(text.replace("#", "")) };
  if (/^[0-9A-HJ-NPQRTUWXY]{18}$/.test(text)) return { kind: "uscc", uscc: text };
  return { kind: "text", text };
}

/** The codes of a bill in a text, in whatever order and with whatever between; null without two. */
export function codesOf(given: string): Codes | null {
  const text = halfWidth(given).replace(LABELS, " ").replace(/\b[A-Za-z_]+=/g, " ");
  const joined = /^(\d{8})(\d{10})$/.exec(text.trim());
  if (joined) return { code: joined[1]!, number: joined[2]! };
  const tokens = text
    .split(/[\s,，;；:：|/&?=、_]+/)
    .flatMap((token) => (dateOf(token) === null ? token.split("-") : [token]))
    .filter(Boolean);
  const isCode = (token: string) => /^\d{8}$/.test(token);
  const number = tokens.findIndex((token, at) => /^\d{10}$/.test(token) && tokens.slice(0, at).some(isCode));
  if (number < 0) return null;
  const code = tokens.slice(0, number).findLastIndex(isCode);
  const codes: Codes = { code: tokens[code]!, number: tokens[number]! };
  for (const [at, token] of tokens.entries()) {
    if (at <= number) continue;
    const date = dateOf(token);
    if (date !== null && codes.issueDate === undefined) codes.issueDate = date;
    else if (/^[0-9A-Za-z]{6}$/.test(token) && codes.checkCode === undefined) codes.checkCode = token;
    else if (codes.totalFen === undefined && /[.¥￥]|元$/.test(token) && fenOf(token) !== null) codes.totalFen = fenOf(token)!;
  }
  return codes;
}

/** yyyymmdd of `20250318`, `2025-03-18`, `2025年3月18日`; null for what is no day. */
export function dateOf(text: string): number | null {
  const found = /^(\d{4})(?:(\d{2})(\d{2})|[-.年](\d{1,2})[-.月](\d{1,2})日?)$/.exec(text);
  if (!found) return null;
  const [year, month, day] = [Number(found[1]), Number(found[2] ?? found[4]), Number(found[3] ?? found[5])];
  const date = new Date(Date.UTC(year, month - 1, day));
  const real = date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  return real && year >= 1990 ? year * 10_000 + month * 100 + day : null;
}
