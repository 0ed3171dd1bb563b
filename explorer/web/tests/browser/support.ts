/** What the browser tests share: signing in, the explorer's own answers, and what no page may do. */

import AxeBuilder from "@axe-core/playwright";
import { expect, test as base, type APIRequestContext, type Page } from "@playwright/test";
import { createHmac } from "node:crypto";

export const environment = {
  user: process.env.EXPLORER_USER ?? "",
  password: process.env.EXPLORER_PASSWORD ?? "",
  secret: process.env.EXPLORER_TOTP_SECRET ?? "",
  did: process.env.EXPLORER_DID ?? "",
  key: process.env.EXPLORER_KEY ?? "",
  keyPassword: process.env.EXPLORER_KEY_PASSWORD ?? "",
};

/** The one-time code (RFC 6238) of a secret in base32; nothing without one. */
export function oneTimeCode(secret: string, now = Date.now()): string {
  if (secret === "") return "";
  const bits = [...secret.replace(/[=\s]/g, "").toUpperCase()].map((char) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(char).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(now / 30_000)));
  const digest = createHmac("sha1", key).update(counter).digest();
  const at = digest[19]! & 15;
  return String((digest.readUInt32BE(at) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

interface Story {
  /** A page of somebody who signed in by password. */
  auditor: Page;
  /** The explorer's answers to that person. */
  ask: <T>(path: string) => Promise<T>;
}

interface Once {
  /** Cookies of one signing in: a code is good once, and logins are slowed. */
  login: { cookies: Awaited<ReturnType<APIRequestContext["storageState"]>> };
}

export const test = base.extend<Story, Once>({
  login: [
    async ({ playwright }, use) => {
      const baseURL = process.env.EXPLORER ?? "http://127.0.0.1:40310";
      const request = await playwright.request.newContext({ baseURL });
      const session = (await (await request.get("/api/v1/session")).json()) as { csrf: string };
      const code = oneTimeCode(environment.secret);
      const answer = await request.post("/api/v1/session/password", {
        headers: { "x-csrf-token": session.csrf, origin: baseURL },
        data: { name: environment.user, password: environment.password, ...(code === "" ? {} : { totp: code }) },
      });
      expect(answer.status(), await answer.text()).toBe(200);
      await use({ cookies: await request.storageState() });
      await request.dispose();
    },
    { scope: "worker" },
  ],
  // No page complains, and none breaks the policy that it is served under.
  page: async ({ page }, use) => {
    const complaints = watch(page);
    await use(page);
    expect(complaints).toEqual([]);
  },
  auditor: async ({ browser, login }, use) => {
    const context = await browser.newContext({ storageState: login.cookies });
    const page = await context.newPage();
    const complaints = watch(page);
    await use(page);
    expect(complaints).toEqual([]);
    await context.close();
  },
  ask: async ({ auditor }, use) => {
    await use(async <T>(path: string) => {
      const answer = await auditor.context().request.get(`/api/v1${path}`);
      expect(answer.status(), `${path}: ${await answer.text()}`).toBe(200);
      return (await answer.json()) as T;
    });
  },
});

export { expect };

/** Errors of the page, and of its policy. Answers that the server refuses are the page's to tell. */
function watch(page: Page): string[] {
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error" && !/^Failed to load resource/.test(message.text())) complaints.push(message.text());
  });
  return complaints;
}

/** Nothing that a checker of accessibility calls serious. */
export async function accessible(page: Page, what: string): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]).analyze();
  const serious = violations.filter((one) => one.impact === "serious" || one.impact === "critical");
  expect(serious.map((one) => `${one.id}: ${one.nodes[0]?.html}`), what).toEqual([]);
}

/** No part of the page is wider than the screen. */
export async function fits(page: Page, what: string): Promise<void> {
  expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), what).toBeLessThanOrEqual(0);
}

/** The page has what it shows: nothing is being read. */
export async function settled(page: Page): Promise<void> {
  await expect(page.locator("#page-title")).toBeVisible();
  await expect(page.locator("[aria-busy=true]")).toHaveCount(0);
  await expect(page.getByRole("status").filter({ hasText: /正在读取|Loading/ })).toHaveCount(0);
}

export interface BillRow { code: string; number: string; status: string; issue_date: number; total_fen: number; version: number; issuer: string }
export interface Listed<T> { items: T[]; next: string | null; total: number | null }
