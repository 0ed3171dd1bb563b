/** Searches that the reader keeps: on this device, by name. */

import { ref } from "vue";

export interface Saved {
  name: string;
  /** Path and query of the page. */
  path: string;
}

const STORED = "billchain.searches";
export const MOST_SAVED = 50;
const MOST_NAME = 60;

export function readSaved(text: string | null): Saved[] {
  try {
    const read: unknown = JSON.parse(text ?? "[]");
    if (!Array.isArray(read)) return [];
    const good = (one: unknown): one is Saved =>
      typeof one === "object" && one !== null && typeof (one as Saved).name === "string" &&
      typeof (one as Saved).path === "string" && /^\/(?!\/)/.test((one as Saved).path);
    return read.filter(good).slice(0, MOST_SAVED).map(({ name, path }) => ({ name: name.slice(0, MOST_NAME), path }));
  } catch {
    return [];
  }
}

function load(): Saved[] {
  try {
    return readSaved(localStorage.getItem(STORED));
  } catch {
    return [];
  }
}

export const saved = ref<Saved[]>(load());

function store(all: Saved[]): void {
  saved.value = all;
  try {
    localStorage.setItem(STORED, JSON.stringify(all));
  } catch {
    // Kept as long as the page.
  }
}

/** Keeps a search under a name; one that has the name is replaced, the oldest gives way. */
export function keep(name: string, path: string): void {
  const rest = saved.value.filter((one) => one.name !== name);
  store([...rest, { name: name.slice(0, MOST_NAME), path }].slice(-MOST_SAVED));
}

export function forget(name: string): void {
  store(saved.value.filter((one) => one.name !== name));
}
