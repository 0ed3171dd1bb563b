import { defineConfig } from "@playwright/test";

// Real pages of a running explorer, in Debian's Chromium. Nothing is tried twice.
export default defineConfig({
  testDir: "tests/browser",
  outputDir: "test-results",
  snapshotPathTemplate: "tests/pictures/{arg}{ext}",
  fullyParallel: false,
  workers: 1,
  retries: 0,
  timeout: 60_000,
  expect: {
    timeout: 15_000,
    // Fonts and lines are drawn a little differently from one release of the browser to the next.
    toHaveScreenshot: { maxDiffPixelRatio: 0.02, threshold: 0.25, animations: "disabled", caret: "hide" },
  },
  use: {
    baseURL: process.env.EXPLORER ?? "http://127.0.0.1:40310",
    locale: "zh-CN",
    timezoneId: "Asia/Shanghai",
    viewport: { width: 1440, height: 900 },
    launchOptions: { executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] },
    trace: "retain-on-failure",
  },
});
