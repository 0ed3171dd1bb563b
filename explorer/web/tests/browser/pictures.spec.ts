// How pages look. They are drawn from recorded answers, so that only a change of the page changes a picture:
// what the explorer itself answers, the other tests look at. EXPLORER_PICTURES=renew ./explorer/web/test takes
// them anew; whoever does looks at each.

import { answer, certificateOf } from "../../dev/answers.mjs";
import { expect, settled, test } from "./support";

const PAGES: [name: string, path: string][] = [
  ["home", "/"], ["bill", "/bills/31060126-0000000007"], ["life-line", "/bills/31060126-0000000102"], ["verify", "/verify?code=31060126&number=0000000007"],
  ["nothing-found", "/search?q=31060126-0000000301"], ["bills", "/bills"], ["transaction", "/transactions/0x01"], ["policy", "/policies/7"], ["validators", "/validators"],
  ["statistics", "/statistics"], ["report", "/report/202611"], ["operations", "/operations"], ["login", "/login"],
];
const LOOKS = [
  { look: "light", width: 1440, height: 900, scheme: "light" }, { look: "dark", width: 1440, height: 900, scheme: "dark" }, { look: "phone", width: 390, height: 844, scheme: "light" },
] as const;

for (const { look, width, height, scheme } of LOOKS) {
  test(`pages look as they did: ${look}`, async ({ browser }) => {
    test.setTimeout(180_000);
    const context = await browser.newContext({ viewport: { width, height }, colorScheme: scheme, reducedMotion: "reduce" });
    const page = await context.newPage();
    await page.clock.setFixedTime(new Date("2026-12-01T02:30:00Z"));
    await page.route("**/api/v1/**", async (route) => {
      const url = new URL(route.request().url());
      const path = url.pathname.slice("/api/v1".length);
      if (path === "/events") return route.abort();
      if (path.endsWith("/certificate")) {
        const bytes = await certificateOf(path);
        return bytes ? route.fulfill({ body: bytes, contentType: "application/octet-stream" }) : route.fulfill({ status: 404, json: {} });
      }
      const said: unknown = answer(path, url.searchParams, "auditor", route.request().postDataJSON() as unknown);
      return said === undefined ? route.fulfill({ status: 404, json: {} }) : route.fulfill({ json: said });
    });
    for (const [name, path] of PAGES) {
      await page.goto(path);
      await settled(page);
      await page.waitForFunction(() => document.fonts.status === "loaded");
      await expect(page.getByText("正在您的浏览器中核验")).toHaveCount(0);
      // How long a check took is another time each time.
      const mask = [page.getByText(/核验用时/)];
      await expect.soft(page).toHaveScreenshot(`${name}-${look}.png`, { fullPage: look !== "phone", mask });
    }
    await context.close();
  });
}
