import type { Page } from "@playwright/test";
import { accessible, expect, fits, settled, test, type BillRow, type Listed } from "./support";

/** Every page of the explorer, with things that this chain has. */
async function pages(ask: <T>(path: string) => Promise<T>): Promise<[name: string, path: string][]> {
  const first = async (path: string, field: string): Promise<string | null> => {
    const [one] = (await ask<Listed<Record<string, unknown>>>(path)).items;
    return one ? encodeURIComponent(String(one[field])) : null;
  };
  const bill = (await ask<Listed<BillRow>>("/bills?limit=1")).items[0]!;
  const status = await ask<{ indexed: number }>("/status");
  const found: [string, string | null][] = [
    ["home", "/"], ["search", "/search?q=nothing-of-this-name&stay"], ["verify", "/verify"], ["bills", "/bills"], ["bill", `/bills/${bill.code}-${bill.number}`],
    ["blocks", "/blocks"], ["block", `/blocks/${status.indexed}`], ["transactions", "/transactions"], ["transaction", of("/transactions/", await first("/transactions?limit=1", "hash"))],
    ["participants", "/participants"], ["participant", of("/participants/", await first("/participants?limit=1", "did"))], ["nodes", "/nodes"], ["node", of("/nodes/", await first("/nodes?limit=1", "did"))],
    ["scenes", "/scenes"], ["scene", of("/scenes/", await first("/scenes?limit=1", "scene"))], ["policies", "/policies"], ["policy", of("/policies/", await first("/policies?limit=1", "policy"))], ["rules", "/rules"],
    ["grants", "/grants"], ["grant", of("/grants/", await first("/grants?limit=1", "grant"))], ["disputes", "/disputes"], ["dispute", of("/disputes/", await first("/disputes?limit=1", "case"))],
    ["motions", "/motions"], ["motion", of("/motions/", await first("/motions?limit=1", "index"))], ["validators", "/validators"], ["statistics", "/statistics"], ["statistics by issuer", "/statistics?group=issuer"],
    ["report", `/report/${String(bill.issue_date).slice(0, 6)}`], ["operations", "/operations"], ["access log", "/access-log"], ["trust", "/trust"], ["login", "/login"], ["missing", "/no/such/page"],
  ];
  return found.filter((one): one is [string, string] => one[1] !== null);
}
const of = (path: string, id: string | null) => (id === null ? null : path + id);

async function visit(page: Page, ask: <T>(path: string) => Promise<T>, check: (name: string) => Promise<void>): Promise<number> {
  const all = await pages(ask);
  for (const [name, path] of all) {
    await page.goto(path);
    await settled(page);
    await expect(page.getByRole("alert"), name).toHaveCount(0);
    await check(name);
  }
  return all.length;
}

test("every page opens without a complaint, and fits a desk, a wall and a telephone", async ({ auditor, ask }) => {
  test.setTimeout(300_000);
  for (const viewport of [{ width: 1440, height: 900 }, { width: 3840, height: 2160 }, { width: 360, height: 740 }]) {
    await auditor.setViewportSize(viewport);
    const seen = await visit(auditor, ask, (name) => fits(auditor, `${name} at ${viewport.width}`));
    expect(seen).toBeGreaterThanOrEqual(25);
  }
});

test("every page is accessible, in light and in dark", async ({ auditor, ask }) => {
  test.setTimeout(300_000);
  for (const colorScheme of ["light", "dark"] as const) {
    await auditor.emulateMedia({ colorScheme });
    await visit(auditor, ask, (name) => accessible(auditor, `${name}, ${colorScheme}`));
  }
});

test("every page speaks English, too", async ({ auditor, ask }) => {
  test.setTimeout(180_000);
  await auditor.goto("/");
  await auditor.getByRole("button", { name: "English" }).click();
  await expect(auditor.locator("html")).toHaveAttribute("lang", "en");
  await visit(auditor, ask, async (name) => {
    await expect(auditor.locator("nav a").first(), name).toHaveText("Home");
    for (const heading of await auditor.locator("main h2").allTextContents()) expect(heading, name).not.toMatch(/正在|没有|票据/);
  });
});

test("the first page is painted within a second", async ({ page }) => {
  const response = await page.goto("/", { waitUntil: "load" });
  expect(response?.headers()["content-security-policy"]).toContain("default-src 'self'");
  expect(response?.headers()["content-security-policy"]).not.toContain("unsafe-inline");
  const paint = await page.evaluate(
    () => new Promise<number>((resolve) => new PerformanceObserver((list) => resolve(list.getEntriesByName("first-contentful-paint")[0]!.startTime)).observe({ type: "paint", buffered: true })),
  );
  console.log(`first contentful paint after ${paint.toFixed(0)} ms`);
  expect(paint).toBeLessThanOrEqual(1000);
});

test("nothing comes from elsewhere", async ({ auditor, ask, baseURL }) => {
  test.setTimeout(120_000);
  const foreign: string[] = [];
  auditor.on("request", (request) => {
    if (!request.url().startsWith(baseURL!) && !/^(data|blob):/.test(request.url())) foreign.push(request.url());
  });
  await visit(auditor, ask, async () => {});
  expect(foreign).toEqual([]);
});
