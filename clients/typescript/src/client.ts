/** A participant's client: calls signed, sent, retried and waited for; bills read and proved. */

import type { BillCertificateView, TransactionView } from "./answers.js";
import { concat, fromHex, fromLittle, little, toHex } from "./bytes.js";
import { chain } from "./chain.js";
import { Codec, compact } from "./codec.js";
import { BillChainError, CallFailed, CertificateRefused, NotFinal, RpcRefused, Unreachable } from "./errors.js";
import type { Signer } from "./keys.js";
import { families } from "./methods.js";
import { Nodes, pause } from "./nodes.js";
import * as sm2 from "./sm2.js";
import { sm3 } from "./sm3.js";
import type { Call } from "./types.js";
import { type Proved, verify } from "./verifier.js";

export interface Options {
  /** JSON-RPC of one or more nodes, as `http://127.0.0.1:9944`. */
  nodes: readonly string[];
  /** Hash of the chain's genesis block, from somewhere that one trusts. */
  genesis: string;
  /** Who signs; without one the client reads only. */
  signer?: Signer;
  /** Milliseconds that one answer of one node may take; 10,000 if it is left out. */
  timeout?: number;
  /** Headers of each request, for instance an API key. */
  headers?: Record<string, string>;
}

/**
 * A signed transaction. Keep it, and send it again after whatever happened: it is executed once at
 * most.
 */
export interface Prepared {
  readonly transaction: Uint8Array;
  readonly nonce: number;
  /** The transaction's hash. */
  readonly hash: string;
  readonly bill?: string;
}

/** What became of a transaction that succeeded. */
export interface Outcome extends TransactionView {
  /** Whether the chain had it already: nothing changed, and the first one counts. */
  repeated: boolean;
}

const ALREADY = [2000, 2001];
const NONCE_TAKEN = [2008, 2105];
const PATIENCE = 30_000;
const AGAIN = 2_000;

export class Client {
  readonly genesis: string;
  readonly nodes: Nodes;
  readonly signer?: Signer;
  readonly #codec = new Codec(chain);
  readonly #families = families((method, params) => this.ask(method, params));
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: Options) {
    if (!/^(0x)?[0-9a-fA-F]{64}$/.test(options.genesis)) {
      throw new BillChainError("genesis: expected 64 hexadecimal digits", "Form", { field: "genesis" });
    }
    this.genesis = `0x${options.genesis.slice(-64).toLowerCase()}`;
    this.signer = options.signer;
    this.nodes = new Nodes(options.nodes, this.genesis, chain.rules, options.timeout ?? 10_000, options.headers ?? {});
  }

  get bill() {
    return this.#families.bill;
  }

  get participant() {
    return this.#families.participant;
  }

  get node() {
    return this.#families.node;
  }

  get authorization() {
    return this.#families.authorization;
  }

  get allotment() {
    return this.#families.allotment;
  }

  get scene() {
    return this.#families.scene;
  }

  get permission() {
    return this.#families.permission;
  }

  get policy() {
    return this.#families.policy;
  }

  get dispute() {
    return this.#families.dispute;
  }

  get validator() {
    return this.#families.validator;
  }

  get consensus() {
    return this.#families.consensus;
  }

  get upgrade() {
    return this.#families.upgrade;
  }

  get cooling() {
    return this.#families.cooling;
  }

  get transaction() {
    return this.#families.transaction;
  }

  get access() {
    return this.#families.access;
  }

  get subscription() {
    return this.#families.subscription;
  }

  get outbox() {
    return this.#families.outbox;
  }

  get connector() {
    return this.#families.connector;
  }

  /** What any method answers. */
  async ask<T>(method: string, params: unknown[]): Promise<T> {
    try {
      return (await this.nodes.ask<T>(method, params)).result;
    } catch (problem) {
      if (problem instanceof RpcRefused) problem.bill ??= billOfParams(params);
      throw problem;
    }
  }

  #ownSigner(): Signer {
    if (this.signer === undefined) throw new BillChainError("this client has no signer: it reads only", "NoSigner");
    return this.signer;
  }

  /** The account that the signer acts for. */
  async account(): Promise<string> {
    return toHex(sm3(await this.#ownSigner().publicKey()));
  }

  /** A transaction of this call and nonce. Nothing is sent. */
  async sign(call: Call, nonce: number): Promise<Prepared> {
    const signer = this.#ownSigner();
    const key = await signer.publicKey();
    const encoded = this.#codec.call(call);
    const extension = concat(Uint8Array.of(0), compact(nonce));
    const genesis = fromHex(this.genesis) ?? new Uint8Array();
    const { version, transaction_version: format } = chain.rules;
    const versions = concat(little(BigInt(version), 4), little(BigInt(format), 4));
    const payload = concat(encoded, extension, versions, genesis, genesis);
    const signature = await signer.sign(payload);
    if (!sm2.verify(key, payload, signature)) {
      throw new BillChainError(
        "the signer's signature is not its key's: expected r and s in 64 bytes, signer id 1234567812345678",
        "BadSignature",
      );
    }
    const body = concat(Uint8Array.of(0x84, 0), sm3(key), Uint8Array.of(0x10), key, signature, extension, encoded);
    const transaction = concat(compact(body.length), body);
    return { transaction, nonce, hash: toHex(sm3(transaction)), bill: billOf(call) };
  }

  /**
   * Signs a call, sends it, and waits until it is final; `patience` in milliseconds. A lost connection
   * never makes two of it: the same bytes are sent again, and another transaction is signed only when
   * the first one can never be executed any more.
   *
   * @throws CallFailed if the chain refuses it, NotFinal if it is not final in time.
   */
  async execute(call: Call, patience = PATIENCE): Promise<Outcome> {
    const deadline = Date.now() + patience;
    for (;;) {
      const prepared = await this.#inTurn(async () => {
        const nonce = await this.ask<number>("system_accountNextIndex", [await this.account()]);
        const signed = await this.sign(call, nonce);
        await this.#submit(signed, deadline, patience);
        return signed;
      });
      const outcome = await this.#wait(prepared, deadline, patience);
      if (outcome !== undefined) return outcome;
    }
  }

  /** Sends a signed transaction, at first or again, and waits until it is final. */
  async send(prepared: Prepared, patience = PATIENCE): Promise<Outcome> {
    const deadline = Date.now() + patience;
    await this.#submit(prepared, deadline, patience);
    const outcome = await this.#wait(prepared, deadline, patience);
    if (outcome !== undefined) return outcome;
    throw new BillChainError(
      `transaction ${prepared.hash} can never be executed: another one has its nonce ${prepared.nonce}`,
      "Superseded",
      { bill: prepared.bill },
    );
  }

  /** One after the other: each signs with the nonce after the one before. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(work);
    this.#turn = mine.catch(() => undefined);
    return mine;
  }

  async #submit(prepared: Prepared, deadline: number, patience: number): Promise<void> {
    try {
      await this.nodes.ask("author_submitExtrinsic", [toHex(prepared.transaction)], Math.max(deadline - Date.now(), 100));
    } catch (problem) {
      if (problem instanceof RpcRefused) {
        // It is there; or its nonce is another one's, and what becomes of it has to be seen.
        if ([...ALREADY, ...NONCE_TAKEN].includes(problem.pool ?? 0)) return;
        problem.bill = prepared.bill;
      } else if (problem instanceof Unreachable) {
        throw new NotFinal(prepared, patience, "unknown, because no node answers", problem);
      }
      throw problem;
    }
  }

  /** What became of it; undefined if it can never be executed any more. */
  async #wait(prepared: Prepared, deadline: number, patience: number): Promise<Outcome | undefined> {
    let asked = Date.now();
    let state = "unknown";
    for (let wait = 50; ; wait = Math.min(1.5 * wait, 400)) {
      const left = deadline - Date.now();
      if (left <= 0) throw new NotFinal(prepared, patience, state);
      try {
        const { result, url } = await this.nodes.ask<TransactionView>("transaction_status", [prepared.hash], left);
        state = result.state;
        if (state === "final") return outcomeOf(result, prepared);
        if (state === "unknown" && (await this.#isDead(prepared, url))) return undefined;
      } catch (problem) {
        if (!(problem instanceof Unreachable)) throw problem;
        throw new NotFinal(prepared, patience, "unknown, because no node answers", problem);
      }
      if (state === "unknown" && Date.now() - asked > AGAIN) {
        asked = Date.now();
        await this.#submit(prepared, deadline, patience);
      }
      await pause(wait);
    }
  }

  /** Whether a node's state has gone beyond the nonce without this transaction. */
  async #isDead(prepared: Prepared, url: string): Promise<boolean> {
    const timeout = this.nodes.timeout;
    const account = await this.account();
    const { result } = await this.nodes.ask<string>("state_call", ["AccountNonceApi_account_nonce", account], timeout, url);
    if (fromLittle(fromHex(result) ?? new Uint8Array()) <= BigInt(prepared.nonce)) return false;
    const again = await this.nodes.ask<TransactionView>("transaction_status", [prepared.hash], timeout, url);
    return again.result.state !== "final";
  }

  /**
   * The certificate of a bill, or that there is none, fetched and checked: its bytes and what it
   * proves. No node is trusted.
   */
  async certified(code: string, number: string): Promise<{ certificate: Uint8Array; proved: Proved }> {
    const view = await this.ask<BillCertificateView>("bill_certificate", [code, number]);
    const certificate = fromHex(view.certificate) ?? new Uint8Array();
    const proved = await this.verify(certificate);
    const bill = `${code}-${number}`;
    if (!("bill" in proved) || proved.bill !== bill) {
      throw new CertificateRefused(`the certificate is of another thing, expected ${bill}`, bill);
    }
    return { certificate, proved };
  }

  /** What a certificate proves to whoever trusts this client's genesis. */
  verify(certificate: Uint8Array): Promise<Proved> {
    return verify(certificate, this.genesis);
  }
}

function outcomeOf(view: TransactionView, prepared: Prepared): Outcome {
  if (view.success !== true) throw new CallFailed(view, prepared.bill);
  const repeated = view.events.some(({ name }) => name === "RegistrationRepeated" || name === "LockRepeated");
  return { ...view, repeated };
}

/** The first bill, as code-number, that a call names. */
export function billOf(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { code, number } = value as Record<string, unknown>;
  if (typeof code === "string" && typeof number === "string") return `${code}-${number}`;
  for (const one of Object.values(value)) {
    const found = billOf(one);
    if (found !== undefined) return found;
  }
  return undefined;
}

function billOfParams([code, number]: unknown[]): string | undefined {
  const isBill = typeof code === "string" && /^[0-9]{8}$/.test(code) && typeof number === "string" && /^[0-9]{10}$/.test(number);
  return isBill ? `${code}-${number}` : undefined;
}
