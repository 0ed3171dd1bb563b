/** What the statistics page asks for, what it draws, and where a part of it leads. */

import type { LocationQueryRaw } from "vue-router";
import type { StatisticsRow } from "../api/types";
import { plusDays } from "./format";
import { perMille } from "./money";

export const MEASURES = ["issued", "red", "reimbursed"] as const;
export type Measure = (typeof MEASURES)[number];
export const GROUPS = ["day", "month", "quarter", "year", "region", "class", "issuer", "scene", "status"] as const;
export type Grouping = (typeof GROUPS)[number];
export const TIMES: readonly Grouping[] = ["day", "month", "quarter", "year"];

export interface Compared extends StatisticsRow {
  /** A year before; null if that was not asked or there was nothing. */
  before: StatisticsRow | null;
  /** Change of the count and of the amount, in per mille. */
  count_change: number | null;
  fen_change: number | null;
}

/** Each row with that of a year before: by the same key, or for time by the key a year earlier. */
export function compared(rows: StatisticsRow[], before: StatisticsRow[] | null, group: Grouping): Compared[] {
  const byKey = new Map((before ?? []).map((row) => [row.key, row]));
  return rows.map((row) => {
    const earlier = before === null ? null : (byKey.get(TIMES.includes(group) ? yearEarlier(row.key) : row.key) ?? null);
    return {
      ...row, before: earlier,
      count_change: earlier ? perMille(earlier.count, row.count) : null,
      fen_change: earlier ? perMille(earlier.fen, row.fen) : null,
    };
  });
}

/** `20240318` → `20230318`, `202403` → `202303`, `2024Q1` → `2023Q1`; the 29th of February is compared with the 28th. */
export function yearEarlier(key: string): string {
  const earlier = `${Number(key.slice(0, 4)) - 1}${key.slice(4)}`;
  return earlier.endsWith("0229") && earlier.length === 8 ? `${earlier.slice(0, 4)}0228` : earlier;
}

/** Months of yyyymm together as quarters, `2024Q1`. */
export function quarters(rows: StatisticsRow[]): StatisticsRow[] {
  const found = new Map<string, StatisticsRow>();
  for (const row of rows) {
    const key = `${row.key.slice(0, 4)}Q${Math.ceil(Number(row.key.slice(4, 6)) / 3)}`;
    const sum = found.get(key) ?? { key, count: 0, fen: 0 };
    found.set(key, { ...sum, count: sum.count + row.count, fen: sum.fen + row.fen });
  }
  return [...found.values()];
}

/** A key of time as people read it. */
export function timeName(key: string): string {
  if (/^\d{8}$/.test(key)) return `${key.slice(0, 4)}-${key.slice(4, 6)}-${key.slice(6)}`;
  return /^\d{6}$/.test(key) ? `${key.slice(0, 4)}-${key.slice(4)}` : key.replace("Q", " Q");
}

/** First and last day of a key of time; null for what is no time. */
export function span(key: string): [number, number] | null {
  const year = Number(key.slice(0, 4));
  if (/^\d{8}$/.test(key)) return [Number(key), Number(key)];
  if (/^\d{6}$/.test(key)) return [Number(key) * 100 + 1, lastDay(year, Number(key.slice(4)))];
  const quarter = /^\d{4}Q([1-4])$/.exec(key);
  if (quarter) {
    const last = Number(quarter[1]) * 3;
    return [year * 10_000 + (last - 2) * 100 + 1, lastDay(year, last)];
  }
  return /^\d{4}$/.test(key) ? [year * 10_000 + 101, year * 10_000 + 1231] : null;
}

function lastDay(year: number, month: number): number {
  const next = month === 12 ? (year + 1) * 10_000 + 101 : year * 10_000 + (month + 1) * 100 + 1;
  return plusDays(next, -1);
}

const STATUS_OF: Record<Measure, string | null> = { issued: null, red: "red_reversed", reimbursed: "reimbursed" };

/** The list of the bills that a row counts. */
export function drill(measure: Measure, group: Grouping, key: string, asked: Record<string, string>): LocationQueryRaw {
  const query: Record<string, string> = {};
  for (const name of ["from", "to", "region", "class", "issuer", "scene"]) if (asked[name]) query[name] = asked[name]!;
  const status = STATUS_OF[measure];
  if (status) query.status = status;
  const time = TIMES.includes(group) ? span(key) : null;
  if (time) {
    query.from = String(Math.max(time[0], Number(query.from ?? 0)));
    query.to = String(Math.min(time[1], Number(query.to ?? 99999999)));
  } else query[group] = key;
  return query;
}
