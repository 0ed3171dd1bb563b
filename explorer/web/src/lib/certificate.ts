/**
 * Certificates (链上凭证), checked in this browser by the chain's own verifier in WebAssembly: the server
 * that brought them is not asked.
 */

import { load, type Answer, type Present, type Verifier, type Version } from "../../../../verifier/wasm/index.mjs";
import wasm from "../../verifier/billchain_verifier.wasm?url";

export type { Answer } from "../../../../verifier/wasm/index.mjs";

let verifier: Promise<Verifier> | null = null;

/** The verifier, fetched once; asked for again if that failed. */
export function loadVerifier(): Promise<Verifier> {
  verifier ??= load(fetch(wasm)).catch((error: unknown) => {
    verifier = null;
    throw error;
  });
  return verifier;
}

/** What a certificate proves to whoever trusts the genesis. */
export async function check(certificate: Uint8Array, genesis: string): Promise<Answer> {
  return (await loadVerifier()).verify(certificate, genesis);
}

/** What the page shows of a bill, as the server said it; what it did not say is not compared. */
export interface Shown {
  code: string;
  number: string;
  status: string;
  kind?: string | null;
  version?: number | null;
  total_fen?: number | null;
  issue_date?: number | null;
  issuer?: string | null;
  xml_hash?: string | null;
  check_code?: string | null;
}

export interface Difference {
  field: "bill" | "kind" | "status" | "version" | "total" | "issue_date" | "issuer" | "xml_hash" | "check_code" | "exists";
  shown: string;
  proved: string;
}

/** In which fields the server says something else than the certificate proves. */
export function differences(shown: Shown, proved: Present | Version): Difference[] {
  const pairs: [Difference["field"], string | number | null | undefined, string | number][] = [
    ["bill", `${shown.code}-${shown.number}`, proved.bill],
    ["status", shown.status, proved.status],
    ["kind", shown.kind, proved.kind],
    ["version", shown.version, proved.version],
    ["total", typeof shown.total_fen === "number" ? (shown.total_fen / 100).toFixed(2) : null, proved.total],
    ["issue_date", shown.issue_date, proved.issue_date],
    ["issuer", shown.issuer, proved.issuer],
    ["check_code", shown.check_code, proved.check_code],
    ["xml_hash", shown.xml_hash?.toLowerCase(), proved.xml_hash.toLowerCase()],
  ];
  return pairs
    .filter(([, one, other]) => one !== null && one !== undefined && String(one) !== String(other))
    .map(([field, one, other]) => ({ field, shown: String(one), proved: String(other) }));
}
