// For work on the page alone: takes pictures of every page from a server, and tells what the browser complains of.
//
//   node dev/look.mjs ADDRESS DIRECTORY [NAME…]

import { chromium } from "@playwright/test";
import { mkdirSync } from "node:fs";

const [address, out, ...only] = process.argv.slice(2);
mkdirSync(out, { recursive: true });
const PAGES = {
  home: "/", bills: "/bills", bill: "/bills/31060126-0000000007", life: "/bills/31060126-0000000102", verify: "/verify?code=31060126&number=0000000007", nothing: "/search?q=31060126-0000000301",
  search: "/search?q=31060126-0000000007", block: "/blocks/1200", blocks: "/blocks", transaction: "/transactions/0x00", transactions: "/transactions", participant: "/participants/did:bill:hospital",
  participants: "/participants", node: "/nodes/did:bill:gateway", scene: "/scenes/9", policy: "/policies/7", rules: "/rules", grant: "/grants/0x01", grants: "/grants", dispute: "/disputes/1", motion: "/motions/4", motions: "/motions",
  validators: "/validators", statistics: "/statistics", issuers: "/statistics?group=issuer", report: "/report/202611", operations: "/operations", log: "/access-log", trust: "/trust", login: "/login", missing: "/nowhere",
};
const VIEWS = { wide: { width: 1440, height: 900 }, phone: { width: 390, height: 844 } };
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
for (const [view, viewport] of Object.entries(VIEWS)) {
  const context = await browser.newContext({ viewport, locale: "zh-CN", colorScheme: view === "dark" ? "dark" : "light" });
  for (const [name, path] of Object.entries(PAGES)) {
    if (only.length > 0 && !only.includes(name)) continue;
    const page = await context.newPage();
    page.on("console", (message) => ["error", "warning"].includes(message.type()) && console.log(view, name, message.text().slice(0, 300)));
    page.on("pageerror", (error) => console.log(view, name, "ERROR", String(error).slice(0, 300)));
    await page.goto(address + path, { waitUntil: "load" });
    await page.waitForTimeout(700);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    if (wide > 0) console.log(view, name, `is ${wide} px too wide`);
    await page.screenshot({ path: `${out}/${name}-${view}.png`, fullPage: view === "wide" });
    await page.close();
  }
  await context.close();
}
await browser.close();
