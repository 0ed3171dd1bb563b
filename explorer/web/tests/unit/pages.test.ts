import { describe, expect, it } from "vitest";
import { address, problemOf, ServerError } from "../../src/api/client";
import { bytes, dateNumber, dateText, duration, moment, plusDays, plusMonths, timeText } from "../../src/lib/format";
import { sameHash, shortHash } from "../../src/lib/hex";
import { MOST_SAVED, readSaved } from "../../src/lib/saved";
import { compared, drill, quarters, span, timeName, yearEarlier } from "../../src/lib/statistics";
import { routes } from "../../src/router";

describe("statistics", () => {
  it("compares time with the year before, and other groups with themselves", () => {
    const rows = [{ key: "202603", count: 150, fen: 100 }, { key: "202604", count: 10, fen: 5 }];
    const time = compared(rows, [{ key: "202503", count: 100, fen: 200 }], "month");
    expect(time.map((row) => [row.count_change, row.fen_change])).toEqual([[500, -500], [null, null]]);
    const region = compared([{ key: "31", count: 5, fen: 5 }], [{ key: "31", count: 10, fen: 0 }], "region");
    expect(region[0]).toMatchObject({ count_change: -500, fen_change: null });
    expect(compared(rows, null, "month")[0]!.before).toBeNull();
  });

  it.each([["20240318", "20230318"], ["20240229", "20230228"], ["202403", "202303"], ["2024Q1", "2023Q1"], ["2024", "2023"]])("a year before %s is %s", (key, before) => expect(yearEarlier(key)).toBe(before));

  it.each<[string, [number, number] | null]>([
    ["20240318", [20240318, 20240318]], ["202402", [20240201, 20240229]], ["202312", [20231201, 20231231]], ["2024Q1", [20240101, 20240331]], ["2024Q4", [20241001, 20241231]], ["2024", [20240101, 20241231]], ["31", null],
  ])("%s spans its days", (key, days) => expect(span(key)).toEqual(days));

  it("leads to the bills that are counted", () => {
    expect(drill("red", "month", "202603", { from: "20260315", to: "20261231" })).toEqual({ status: "red_reversed", from: "20260315", to: "20260331" });
    expect(drill("issued", "issuer", "did:bill:a", { from: "20260101", to: "20260131", region: "31" })).toEqual({ from: "20260101", to: "20260131", region: "31", issuer: "did:bill:a" });
  });

  it("counts quarters of their months", () => {
    const rows = ["202512", "202601", "202602", "202604"].map((key) => ({ key, count: 1, fen: 10 }));
    expect(quarters(rows)).toEqual([{ key: "2025Q4", count: 1, fen: 10 }, { key: "2026Q1", count: 2, fen: 20 }, { key: "2026Q2", count: 1, fen: 10 }]);
    expect(timeName("2026Q1")).toBe("2026 Q1");
  });
});

describe("dates and sizes", () => {
  it("are Chinese standard time, whatever the machine's", () => expect(moment(Date.UTC(2026, 10, 30, 16, 0, 1))).toBe("2026-12-01 00:00:01"));
  it.each([[20260228, 1, 20260301], [20240228, 1, 20240229], [20260101, -1, 20251231]])("%i and %i days is %i", (date, days, other) => expect(plusDays(date, days)).toBe(other));
  it.each([[202601, -1, 202512], [202612, 1, 202701], [202605, -12, 202505]])("%i and %i months is %i", (month, months, other) => expect(plusMonths(month, months)).toBe(other));
  it("are written and read", () => {
    expect([dateText(20250318), dateText(null), timeText(93015), dateNumber("2025-03-18"), dateNumber("x")]).toEqual(["2025-03-18", "—", "09:30:15", 20250318, null]);
    expect([duration(850), duration(3_200), duration(300_000), bytes(1536), bytes(5)]).toEqual(["850 ms", "3.2 s", "5 min", "1.5 KiB", "5 B"]);
  });
  it("hashes are compared however they are written", () => {
    expect(sameHash(`0x${"AB".repeat(32)}`, "ab".repeat(32))).toBe(true);
    expect(sameHash(null, null)).toBe(false);
    expect(shortHash(`0x${"ab".repeat(32)}`)).toBe("0xababab…ababab");
  });
});

describe("kept searches", () => {
  it("are those that were kept, as far as they are paths of this page", () => {
    expect(readSaved(JSON.stringify([{ name: "a", path: "/bills?x=1" }, { name: "b", path: "//evil.example" }, { name: 1, path: "/x" }, { name: "c", path: "javascript:alert(1)" }, null]))).toEqual([{ name: "a", path: "/bills?x=1" }]);
    expect(readSaved("{")).toEqual([]);
    expect(readSaved(null)).toEqual([]);
    expect(readSaved(JSON.stringify(Array.from({ length: 99 }, (_, at) => ({ name: String(at), path: "/" }))))).toHaveLength(MOST_SAVED);
  });
});

describe("the server's answers", () => {
  it("are asked for without what is not given", () => expect(address("/bills", { a: "", b: null, c: undefined, d: 0, e: "x&y" })).toBe("/api/v1/bills?d=0&e=x%26y"));
  it.each([[401, "login_required", true], [403, "forbidden", true], [429, "too_many", false], [500, "internal", false], [400, "malformed", false]])("%i is told in words", (status, code, login) => {
    const problem = problemOf(new ServerError(status, code, "why", "limit", "1 … 100"));
    expect(problem.title).toMatch(/[\u4e00-\u9fff]/);
    expect(problem.login).toBe(login);
  });
  it("tells wrong credentials from a page that needs a login", () => {
    expect(problemOf(new ServerError(401, "wrong_credentials", "")).title).not.toBe(problemOf(new ServerError(401, "login_required", "")).title);
    expect(problemOf(new TypeError("fetch")).title).toBe("无法连接服务器");
  });
});

describe("the pages", () => {
  it("have one name each, and come when they are opened", () => {
    const names = routes.map((route) => route.name);
    expect(new Set(names).size).toBe(names.length);
    for (const route of routes) expect(typeof route.component).toBe("function");
  });
});
