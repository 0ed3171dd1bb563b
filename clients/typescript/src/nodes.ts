/**
 * Several nodes as one: time-outs, failover, and no node of another chain. A request goes to the node
 * that answered last; one that cannot be reached, has no room or lacks what was asked for is left for
 * the next, round after round until the patience ends. Reads and submissions of the same bytes may be
 * asked twice, so no answer that got lost does harm.
 */

import type { Table } from "./codec.js";
import { BillChainError, RpcRefused, Unreachable, WrongChain } from "./errors.js";

/** A node without room, or without what another one may have. */
const ELSEWHERE = [-32603, -32009, -32011, 4005, 4006, 4008];
const POOL_ELSEWHERE = [2003, 2005, 2014, 2015, 2017, 2018, 2019, 2020];
const MAX_ANSWER = 64 * 1024 * 1024;

export interface Answered<T> {
  result: T;
  url: string;
}

export const pause = (milliseconds: number): Promise<void> => new Promise((done) => setTimeout(done, milliseconds));

export class Nodes {
  #first = 0;
  #id = 0;
  readonly #known = new Set<string>();

  constructor(
    readonly urls: readonly string[],
    readonly genesis: string,
    readonly rules: Table["rules"],
    readonly timeout: number,
    readonly headers: Record<string, string>,
  ) {
    if (urls.length === 0) throw new BillChainError("at least one node is needed", "Form", { field: "nodes" });
  }

  /** What a method answers. `sure` is the node that has to answer. */
  async ask<T>(method: string, params: unknown[], patience = this.timeout, sure?: string): Promise<Answered<T>> {
    const deadline = Date.now() + patience;
    const order = sure === undefined ? [...this.urls.slice(this.#first), ...this.urls.slice(0, this.#first)] : [sure];
    const causes = new Map<string, unknown>();
    for (let wait = 50; ; wait = Math.min(2 * wait, 1000)) {
      for (const url of order) {
        const left = deadline - Date.now();
        if (left <= 0 && causes.size > 0) break;
        try {
          const limit = Math.max(Math.min(this.timeout, left), 50);
          await this.#check(url, limit);
          const result = await this.#post<T>(url, method, params, limit);
          if (sure === undefined) this.#first = this.urls.indexOf(url);
          return { result, url };
        } catch (problem) {
          if (problem instanceof WrongChain) throw problem;
          if (problem instanceof RpcRefused) {
            if (!ELSEWHERE.includes(Number(problem.code)) && !POOL_ELSEWHERE.includes(problem.pool ?? 0)) throw problem;
          } else {
            this.#known.delete(url);
          }
          causes.set(url, problem);
        }
      }
      if (Date.now() + wait >= deadline) throw gaveUp(method, order, causes);
      await pause(wait);
    }
  }

  /** Refuses a node of another chain or of other rules. */
  async #check(url: string, limit: number): Promise<void> {
    if (this.#known.has(url)) return;
    const genesis = await this.#post<string>(url, "chain_getBlockHash", [0], limit);
    if (genesis !== this.genesis) throw new WrongChain(`${url}: the chain begins with ${genesis}, expected ${this.genesis}`);
    const found = await this.#post<Record<string, unknown>>(url, "state_getRuntimeVersion", [], limit);
    const { name, version, transaction_version: format } = this.rules;
    if (found.specName !== name || found.specVersion !== version || found.transactionVersion !== format) {
      throw new WrongChain(
        `${url}: rules ${found.specName} ${found.specVersion}, format ${found.transactionVersion}; ` +
          `this client signs for ${name} ${version}, format ${format}`,
      );
    }
    this.#known.add(url);
  }

  async #post<T>(url: string, method: string, params: unknown[], limit: number): Promise<T> {
    const response = await fetch(url, {
      method: "POST",
      headers: { "Content-Type": "application/json", ...this.headers },
      body: JSON.stringify({ jsonrpc: "2.0", id: ++this.#id, method, params }),
      signal: AbortSignal.timeout(limit),
    });
    const length = Number(response.headers.get("content-length") ?? 0);
    if (length > MAX_ANSWER) throw new Error(`an answer of ${length} bytes, at most ${MAX_ANSWER} are read`);
    const text = await response.text();
    let answer: { result?: T; error?: object };
    try {
      answer = JSON.parse(text) as typeof answer;
    } catch {
      throw new Error(`HTTP ${response.status}, and no JSON`);
    }
    if (typeof answer !== "object" || answer === null || "result" in answer === "error" in answer) {
      throw new Error("an answer that is no JSON-RPC");
    }
    if (answer.error) throw new RpcRefused(method, answer.error);
    return answer.result as T;
  }
}

function gaveUp(method: string, order: readonly string[], causes: ReadonlyMap<string, unknown>): Error {
  const refused = [...causes.values()].filter((cause) => cause instanceof RpcRefused);
  if (refused.length === order.length) return refused[refused.length - 1];
  const shown = [...causes].map(([url, cause]) => `${url}: ${cause instanceof Error ? cause.message : cause}`);
  return new Unreachable(`${method}: no node answers: ${shown.join("; ")}`, causes);
}
