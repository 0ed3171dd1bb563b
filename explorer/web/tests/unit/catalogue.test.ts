import { describe, expect, it } from "vitest";
import { messages } from "../../src/i18n/messages";
import { words, type Pair } from "../../src/i18n/words";

/** Every row of a catalogue, with its key. */
function rows(at: unknown, path = ""): [string, Pair][] {
  if (Array.isArray(at)) return [[path, at as unknown as Pair]];
  return Object.entries(at as object).flatMap(([key, value]) => rows(value, path === "" ? key : `${path}.${key}`));
}

const all = [...rows(messages), ...rows(words)];
const places = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(([place]) => place).sort();
const SAME = new Set(["app.other"]);

describe("the catalogue", () => {
  it("has both languages in every row", () => {
    expect(all.length).toBeGreaterThan(400);
    for (const [key, pair] of all) {
      expect(pair, key).toHaveLength(2);
      for (const text of pair) expect(text.trim(), key).not.toBe("");
    }
  });

  it("has no Chinese in the English texts", () => {
    const wrong = all.filter(([key, [, en]]) => !SAME.has(key) && /[\u4e00-\u9fff]/.test(en));
    expect(wrong.map(([key]) => key)).toEqual([]);
  });

  it("asks for the same values in both", () => {
    for (const [key, [zh, en]] of all) expect(places(en), key).toEqual(places(zh));
  });
});
