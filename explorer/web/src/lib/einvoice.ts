/**
 * The XML original of a bill (EInvoice), read in the browser for its codes. Nothing of it is sent:
 * the bytes are hashed as they are, and the codes alone are asked for.
 */

import { dateOf, type Codes } from "./codes";
import { fenOf } from "./money";

/** Largest file that is read: that of the chain's own client. */
export const MAX_XML = 4 * 1024 * 1024;

/** Bytes as text, by byte order mark or declaration, as UTF-8 or GBK. */
export function decoded(bytes: Uint8Array): string {
  const start = new TextDecoder("latin1").decode(bytes.subarray(0, 128));
  const declared = /^(?:\xef\xbb\xbf)?<\?xml[^>]*encoding\s*=\s*["']([A-Za-z0-9_-]+)["']/.exec(start)?.[1];
  const marks: [number[], string][] = [[[0xff, 0xfe], "utf-16le"], [[0xfe, 0xff], "utf-16be"]];
  const mark = marks.find(([mark]) => mark.every((byte, at) => bytes[at] === byte));
  const encoding = mark?.[1] ?? (/^gb/i.test(declared ?? "") ? "gb18030" : "utf-8");
  return new TextDecoder(encoding, { fatal: true }).decode(bytes);
}

/** The codes of the bill, or null if the bytes are no EInvoice. */
export function codesOfXml(bytes: Uint8Array): Codes | null {
  if (bytes.length > MAX_XML) return null;
  let text: string;
  try {
    text = decoded(bytes);
  } catch {
    return null;
  }
  if (/<!DOCTYPE/i.test(text)) return null;
  const root = new DOMParser().parseFromString(text.replace(/^\ufeff?<\?xml[^>]*\?>/, ""), "application/xml");
  const main = root.querySelector("EInvoiceData > Main");
  const field = (name: string) => main?.querySelector(`:scope > ${name}`)?.textContent?.trim() ?? "";
  const [code, number, checkCode] = [field("EInvoiceCode"), field("EInvoiceNumber"), field("RandomNumber")];
  if (!/^\d{8}$/.test(code) || !/^\d{10}$/.test(number)) return null;
  const codes: Codes = { code, number };
  if (/^[0-9A-Za-z]{6}$/.test(checkCode)) codes.checkCode = checkCode;
  const [date, total] = [dateOf(field("IssueDate")), fenOf(field("TotalAmount"))];
  if (date !== null) codes.issueDate = date;
  if (total !== null) codes.totalFen = total;
  return codes;
}

/** What a file is, by its first bytes. */
export function kindOf(bytes: Uint8Array): "xml" | "pdf" | "certificate" | "other" {
  const start = new TextDecoder("latin1").decode(bytes.subarray(0, 64));
  if (start.startsWith("%PDF-")) return "pdf";
  if (start.startsWith("BCPF")) return "certificate";
  if (/^(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff)?\s*<(?:\?xml|[A-Za-z])/.test(start) || start.startsWith("\xff\xfe<")) return "xml";
  return "other";
}

/** Longest description of a stream that is looked at, as in print/src/attachment.rs. */
const DESCRIPTION = 256;

/** The certificate that a printed one (PDF) carries as it was put in; null if there is none, or several. */
export function attachedCertificate(pdf: Uint8Array): Uint8Array | null {
  const text = new TextDecoder("latin1").decode(pdf);
  const found: Uint8Array[] = [];
  const begins = /stream\r?\nBCPF/g;
  for (let match = begins.exec(text); match; match = begins.exec(text)) {
    const start = match.index + match[0].length - 4;
    const length = /^.*\/Length (\d+)/s.exec(text.slice(Math.max(0, match.index - DESCRIPTION), match.index))?.[1];
    const end = start + Number(length);
    if (length === undefined || !/^\r?\n?endstream/.test(text.slice(end, end + 11))) continue;
    found.push(pdf.slice(start, end));
    begins.lastIndex = end;
  }
  return found.length === 1 ? found[0]! : null;
}
