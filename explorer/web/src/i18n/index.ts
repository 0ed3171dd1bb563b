/**
 * What the page says, in Chinese and English. Both stand in one row of the catalogue, so that neither is
 * forgotten; a test holds the places for values equal.
 */

import { ref } from "vue";
import { messages } from "./messages";
import { words, type Pair } from "./words";

export type Locale = "zh" | "en";

type Path<T, P extends string = ""> = {
  [K in keyof T & string]: T[K] extends Pair ? `${P}${K}` : Path<T[K], `${P}${K}.`>;
}[keyof T & string];

/** A message: `search.nothing`. */
export type Key = Path<typeof messages>;
/** A group of the chain's words: `status`. */
export type Group = keyof typeof words;
export type Values = Record<string, string | number>;

const STORED = "billchain.locale";

export const locale = ref<Locale>("zh");

/** Takes another language, and keeps it. */
export function speak(wanted: Locale): void {
  locale.value = wanted;
  document.documentElement.lang = wanted === "zh" ? "zh-CN" : "en";
  try {
    localStorage.setItem(STORED, wanted);
  } catch {
    // A browser that keeps nothing asks again next time.
  }
}

/** The language that was chosen before; Chinese if none was. */
export function chosenLocale(): Locale {
  try {
    return localStorage.getItem(STORED) === "en" ? "en" : "zh";
  } catch {
    return "zh";
  }
}

/** The pair under a key; undefined if there is none. */
export function lookUp(key: string): Pair | undefined {
  let at: unknown = messages;
  for (const part of key.split(".")) {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, part)) return undefined;
    at = (at as Record<string, unknown>)[part];
  }
  return Array.isArray(at) ? (at as unknown as Pair) : undefined;
}

function said(pair: Pair): string {
  return pair[locale.value === "zh" ? 0 : 1];
}

/** The message in the reader's language. */
export function t(key: Key, values?: Values): string {
  const pair = lookUp(key);
  const text = pair ? said(pair) : key;
  return values ? text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole)) : text;
}

/**
 * A word of the chain, such as a status or a call: the word itself if the catalogue does not know it, so
 * that a newer chain's words are shown as they are.
 */
export function word(group: Group, name: string | null | undefined): string {
  if (name === null || name === undefined || name === "") return "—";
  const rows: Record<string, Pair> = words[group];
  const known = [name, snake(name)].find((one) => Object.hasOwn(rows, one));
  return known === undefined ? name : said(rows[known]!);
}

/** `PartlyReimbursed` as `partly_reimbursed`: the chain has its words in both forms. */
function snake(name: string): string {
  return name.replace(/(?<=[a-z0-9])(?=[A-Z])/g, "_").toLowerCase();
}
