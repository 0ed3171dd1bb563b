import { readdirSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { word, speak } from "../../src/i18n";
import { refusal } from "../../src/i18n/errors";
import { words } from "../../src/i18n/words";
import { file } from "./files";

/** The chain's own contracts: name in the runtime, and the source that declares calls and events. */
function contracts(): [name: string, source: string][] {
  const runtime = file("runtime/src/lib.rs").toString("utf8");
  const names = new Map([...runtime.matchAll(/pub type (\w+) = pallet_(\w+);/g)].map(([, name, crate]) => [crate!.replaceAll("_", "-"), name!]));
  return readdirSync(resolve(process.cwd(), "../../pallets"))
    .filter((folder) => names.has(folder))
    .map((folder) => [names.get(folder)!, file(`pallets/${folder}/src/lib.rs`).toString("utf8")]);
}

describe("refusals", () => {
  it("are told in Chinese where they are known, and in the chain's words otherwise", () => {
    const docs = "The sender may not act, for this reason.";
    expect(refusal({ name: "Sender.Frozen", docs })).toBe("发送方不能办理：已冻结");
    expect(refusal({ name: "Sender.OfTomorrow", docs })).toBe(docs);
    expect(refusal({ name: "constructor", docs })).toBe(docs);
    speak("en");
    expect(refusal({ name: "LockedByOther", docs })).toBe(docs);
    speak("zh");
  });
});

describe("the chain's words", () => {
  const all = contracts();

  it("are known for every call of its own contracts", () => {
    const calls = all.flatMap(([name, source]) =>
      [...source.matchAll(/#\[pallet::call_index\(\d+\)\][\s\S]*?pub fn (\w+)/g)].map(([, call]) => `${name}.${call}`),
    );
    expect(calls.length).toBeGreaterThan(60);
    expect(calls.filter((call) => !Object.hasOwn(words.call, call))).toEqual([]);
  });

  it("are known for every event of its own contracts", () => {
    const events = all.flatMap(([name, source]) => {
      const body = /pub enum Event<[\s\S]*?\n {4}\}/.exec(source)?.[0] ?? "";
      return [...body.matchAll(/^ {8}([A-Z]\w+)(?: \{|,|\()/gm)].map(([, event]) => `${name}.${event}`);
    });
    expect(events.length).toBeGreaterThan(80);
    expect(events.filter((event) => !Object.hasOwn(words.event, event))).toEqual([]);
  });

  it("are shown as they are where a newer chain has others", () => {
    expect(word("status", "of_tomorrow")).toBe("of_tomorrow");
    expect(word("status", "constructor")).toBe("constructor");
    expect(word("status", null)).toBe("—");
  });

  it("are found in both of the chain's forms, in the reader's language", () => {
    expect(word("status", "PartlyReimbursed")).toBe("部分报销");
    speak("en");
    expect(word("status", "partly_reimbursed")).toBe("Partly reimbursed");
    speak("zh");
  });
});
