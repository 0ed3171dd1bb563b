/**
 * What can go wrong, as exceptions. `code` is stable, words are not; `field` is the place of what is
 * wrong, and `bill` the bill (code-number) that it is about, where they are known.
 */

import type { TransactionView } from "./answers.js";
import type { Prepared } from "./client.js";

export interface Where {
  field?: string;
  bill?: string;
  /** The Chinese text, where the node gives one. */
  zh?: string;
  cause?: unknown;
}

/** Something went wrong. */
export class BillChainError extends Error {
  readonly code: string | number;
  readonly field?: string;
  bill?: string;
  readonly zh?: string;

  constructor(message: string, code: string | number, where: Where = {}) {
    super(message, { cause: where.cause });
    this.name = new.target.name;
    this.code = code;
    this.field = where.field;
    this.bill = where.bill;
    this.zh = where.zh;
  }
}

/** A file holds no SM2 key that can be used; `code` is `WrongPassword`, `PasswordNeeded` or `Malformed`. */
export class KeyFileError extends BillChainError {
  constructor(reason: string, code = "Malformed") {
    super(`key file: ${reason}`, code);
  }
}

/** A value that a call does not take; `field` is its place. */
export class FormError extends BillChainError {
  constructor(field: string, expected: string, found: unknown) {
    super(`${field}: expected ${expected}, found ${shown(found)}`, "Form", { field });
  }
}

/** No node gave an answer in time; `causes` says of each node why. */
export class Unreachable extends BillChainError {
  readonly causes: ReadonlyMap<string, unknown>;

  constructor(message: string, causes: ReadonlyMap<string, unknown>) {
    super(message, "Unreachable");
    this.causes = causes;
  }
}

/** A node follows another chain, or other rules, than this client was made for. */
export class WrongChain extends BillChainError {
  constructor(message: string) {
    super(message, "WrongChain");
  }
}

/** A node refused a request. `code` is JSON-RPC's, `pool` the transaction pool's own one. */
export class RpcRefused extends BillChainError {
  readonly method: string;
  readonly words: string;
  readonly pool?: number;
  /** Whether the same request may succeed later. */
  readonly temporary: boolean;

  constructor(method: string, error: { code?: unknown; message?: unknown; data?: unknown }, bill?: string) {
    const words = String(error.message ?? "");
    const code = typeof error.code === "number" ? error.code : 0;
    const data = (typeof error.data === "object" && error.data !== null ? error.data : {}) as Record<string, unknown>;
    const field = code === -32602 ? /^([A-Za-z_][\w.]*): expected /.exec(words)?.[1] : undefined;
    super(`${method}: ${words} (code ${code})`, code, { field, bill, zh: text(data.zh) });
    this.method = method;
    this.words = words;
    this.pool = typeof data.code === "number" ? data.code : undefined;
    this.temporary = data.temporary === true;
  }
}

/**
 * A transaction is not final in time. It may still become so: send the same `prepared` again, at any
 * node and any time.
 */
export class NotFinal extends BillChainError {
  readonly prepared: Prepared;

  constructor(prepared: Prepared, patience: number, state: string, cause?: unknown) {
    super(`transaction ${prepared.hash} is not final after ${patience} ms: it is ${state}`, "NotFinal", {
      bill: prepared.bill,
      cause,
    });
    this.prepared = prepared;
  }
}

/**
 * A transaction is final and its call failed: nothing was changed. `code` is the contract's name and
 * the error's, as `BillUpdate.LockedByOther`.
 */
export class CallFailed extends BillChainError {
  readonly details?: string;
  readonly outcome: TransactionView;

  constructor(outcome: TransactionView, bill?: string) {
    const error = outcome.error;
    const code = `${error?.pallet}.${error?.name}`;
    const details = error?.details ?? undefined;
    const field = /(?:SummaryField|field): (\w+)/.exec(details ?? "")?.[1];
    const zh = text((error as unknown as Record<string, unknown> | null)?.zh);
    super(`${code}${details ? ` (${details})` : ""}: ${error?.docs}`, code, { field, bill, zh });
    this.details = details;
    this.outcome = outcome;
  }
}

/** A certificate proves nothing, or another thing than was asked for. */
export class CertificateRefused extends BillChainError {
  constructor(message: string, bill?: string) {
    super(message, "CertificateRefused", { bill });
  }
}

function text(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function shown(value: unknown): string {
  let found: string;
  try {
    found = typeof value === "bigint" ? String(value) : (JSON.stringify(value) ?? String(value));
  } catch {
    found = String(value);
  }
  return found.length > 120 ? `${found.slice(0, 117)}...` : found;
}
