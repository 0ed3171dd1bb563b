/** How the server is asked: JSON over its own origin, with the session's cookie and a token against forgery. */

import { t } from "../i18n";

export const BASE = "/api/v1";

/** A refusal of the server, as it said it. */
export class ServerError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly field: string | null = null,
    readonly expected: string | null = null,
  ) {
    super(message);
  }
}

export type Query = Record<string, string | number | boolean | null | undefined>;

/** Path with its query; what is null, undefined or empty is left out. */
export function address(path: string, query: Query = {}): string {
  const given = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== "");
  const search = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return `${BASE}${path}${search === "" ? "" : `?${search}`}`;
}

let token = "";

/** The token that goes with everything that changes something. */
export function setToken(value: string | null | undefined): void {
  token = value ?? "";
}

async function ask(path: string, query: Query, init: RequestInit): Promise<Response> {
  const response = await fetch(address(path, query), { credentials: "same-origin", cache: "no-store", ...init });
  if (!response.ok) throw await refusalOf(response);
  return response;
}

async function refusalOf(response: Response): Promise<ServerError> {
  const said: unknown = await response.json().catch(() => null);
  const body = (typeof said === "object" && said !== null ? said : {}) as Record<string, unknown>;
  const error = (typeof body.error === "object" && body.error !== null ? body.error : body) as Record<string, unknown>;
  const text = (value: unknown) => (typeof value === "string" ? value : null);
  return new ServerError(
    response.status, text(error.code) ?? "", text(error.message) ?? response.statusText, text(error.field), text(error.expected),
  );
}

export async function get<T>(path: string, query: Query = {}, signal?: AbortSignal): Promise<T> {
  const init: RequestInit = { headers: { accept: "application/json" }, ...(signal ? { signal } : {}) };
  return (await (await ask(path, query, init)).json()) as T;
}

/** Null where the server says that there is no such thing. */
export async function getOrNull<T>(path: string, query: Query = {}, signal?: AbortSignal): Promise<T | null> {
  try {
    return await get<T>(path, query, signal);
  } catch (error) {
    if (error instanceof ServerError && error.status === 404) return null;
    throw error;
  }
}

export async function getBytes(path: string, query: Query = {}, signal?: AbortSignal): Promise<Uint8Array> {
  const response = await ask(path, query, signal ? { signal } : {});
  return new Uint8Array(await response.arrayBuffer());
}

export function post<T>(path: string, body: unknown, signal?: AbortSignal): Promise<T> {
  return send<T>("POST", path, body, signal);
}

/** Null where the server answers with nothing. */
export async function send<T>(method: "POST" | "PUT", path: string, body: unknown, signal?: AbortSignal): Promise<T> {
  const headers = { accept: "application/json", "content-type": "application/json", "x-csrf-token": token };
  const init: RequestInit = { method, headers, body: JSON.stringify(body), ...(signal ? { signal } : {}) };
  const response = await ask(path, {}, init);
  return (response.status === 204 ? null : await response.json()) as T;
}

export async function remove(path: string): Promise<void> {
  await ask(path, {}, { method: "DELETE", headers: { "x-csrf-token": token } });
}

export interface Problem {
  title: string;
  detail: string;
  /** Signing in may help. */
  login: boolean;
}

/** An error in the reader's words, with the server's own where it has any. */
export function problemOf(error: unknown): Problem {
  if (error instanceof ServerError) {
    const said = [error.field, error.message, error.expected].filter(Boolean).join(" · ");
    const of = (title: string, detail: string, login = false): Problem => ({ title, detail, login });
    if (error.code === "wrong_credentials") return of(t("login.failed"), t("login.wrong"));
    if (error.code === "totp_required") return of(t("login.failed"), t("login.needsCode"));
    switch (error.status) {
      case 423: return of(t("problem.locked"), t("problem.lockedDetail", { until: error.expected ?? "" }));
      case 401: return of(t("problem.login"), t("problem.loginDetail"), true);
      case 403: return of(t("problem.forbidden"), said || t("problem.forbiddenDetail"), true);
      case 404: return of(t("problem.missing"), said);
      case 429: return of(t("problem.many"), t("problem.manyDetail"));
      default: return of(t(error.status < 500 ? "problem.asked" : "problem.server"), said);
    }
  }
  if (error instanceof TypeError) return { title: t("problem.network"), detail: t("problem.networkDetail"), login: false };
  return { title: t("problem.other"), detail: error instanceof Error ? error.message : String(error), login: false };
}

