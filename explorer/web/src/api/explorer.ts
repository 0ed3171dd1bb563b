/** Every question that the page asks of the server, by name. `explorer/server/API.md` is the contract. */

import { address, get, getBytes, getOrNull, post, remove, send, type Query } from "./client";
import type * as A from "./types";

type Ask<T> = (signal?: AbortSignal) => Promise<T>;
const one = <T>(path: string, query: Query = {}): Ask<T> => (signal) => get<T>(path, query, signal);
const list = <T>(path: string) => (query: Query, signal?: AbortSignal) => get<A.Page<T>>(path, query, signal);
const maybe = <T>(path: string, query: Query = {}): Ask<T | null> => (signal) => getOrNull<T>(path, query, signal);
const part = encodeURIComponent;

export const status = one<A.Status>("/status");
export const session = one<A.Session>("/session");
export const summary = one<A.Summary>("/summary");

export const search = (q: string) => one<A.SearchAnswer>("/search", { q });
export const verifyBill = (asked: Query) => post<A.Verdict>("/verify", asked);

export const bills = list<A.BillRow>("/bills");
export const billLife = (code: string, number: string) => maybe<A.BillLife>(`/bills/${code}-${number}`);
/** Who is not signed in shows that the bill is in hand, by its check code. */
export const billCertificate = (code: string, number: string, checkCode = "") => (signal?: AbortSignal) =>
  getBytes(`/bills/${code}-${number}/certificate`, { check_code: checkCode }, signal);
export const billCertificatePdf = (code: string, number: string, checkCode = "") =>
  address(`/bills/${code}-${number}/certificate.pdf`, { check_code: checkCode });

export const blocks = list<A.BlockRow>("/blocks");
export const block = (id: string) => maybe<A.Block>(`/blocks/${part(id)}`);
export const transactions = list<A.TransactionRow>("/transactions");
export const transaction = (hash: string) => maybe<A.Transaction>(`/transactions/${part(hash)}`);

export const participants = list<A.ParticipantRow>("/participants");
export const participant = (did: string) => maybe<A.Participant>(`/participants/${part(did)}`);
export const nodes = list<A.AccessNodeRow>("/nodes");
export const node = (did: string) => maybe<A.AccessNode>(`/nodes/${part(did)}`);
export const scenes = list<A.SceneRow>("/scenes");
export const scene = (id: string) => maybe<A.Scene>(`/scenes/${part(id)}`);
export const policies = list<A.PolicyRow>("/policies");
export const policy = (id: string) => maybe<A.Policy>(`/policies/${part(id)}`);
export const rules = (version: string) => one<A.Rules>("/rules", { version });
export const grants = list<A.GrantRow>("/grants");
export const grant = (id: string) => maybe<A.Grant>(`/grants/${part(id)}`);
export const disputes = list<A.CaseRow>("/disputes");
export const dispute = (id: string) => maybe<A.Case>(`/disputes/${part(id)}`);
export const motions = list<A.MotionRow>("/motions");
export const motion = (id: string) => maybe<A.Motion>(`/motions/${part(id)}`);
export const validators = one<A.Validators>("/validators");

export const statistics = (query: Query) => one<A.Statistics>("/statistics", query);
export const reportPdf = (month: string) => address("/reports/month.pdf", { month });
export const operations = one<A.Operations>("/operations");
export const accessLog = list<A.AccessEntry>("/access-log");
export const accessLogCheck = one<A.LogCheck>("/access-log/check");

export const startExport = (what: string, format: "csv" | "xlsx", query: Query) => post<A.ExportJob>("/exports", { what, format, query });
export const exportJob = (id: string) => one<A.ExportJob>(`/exports/${part(id)}`);

/** `message` is what is signed, `0x` hex. */
export const challenge = (did: string) => post<{ id: string; message: string; expires: number }>("/session/challenge", { did });
export const loginByKey = (signed: { id: string; public_key: string; signature: string }) => post<A.Session>("/session/sm2", signed);
export const loginByPassword = (given: { name: string; password: string; totp?: string }) => post<A.Session>("/session/password", given);
export const singleSignOn = (back: string) => address("/session/oidc", { back });
export const changePassword = (change: { old: string; new: string }) => post<null>("/session/password/change", change);

export const users = one<{ items: A.Account[] }>("/users");
export const addUser = (user: { name: string; role: string; did?: string }) => post<A.Credentials>("/users", user);
/** New credentials if they were reset. */
export const changeUser = (name: string, changes: { role?: string; disabled?: boolean; unlock?: true; reset?: true }) =>
  send<A.Credentials | null>("PUT", `/users/${part(name)}`, changes);
export const dropUser = (name: string) => remove(`/users/${part(name)}`);
export const dropExport = (id: string) => remove(`/exports/${part(id)}`);
