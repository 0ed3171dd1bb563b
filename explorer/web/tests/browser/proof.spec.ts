import type { Page } from "@playwright/test";
import { readFileSync } from "node:fs";
import { expect, settled, test, type BillRow, type Listed } from "./support";

const certificate = (page: Page) => page.getByTestId("certificate");

async function someBill(ask: <T>(path: string) => Promise<T>, status = ""): Promise<BillRow> {
  const page = await ask<Listed<BillRow>>(`/bills?limit=1${status === "" ? "" : `&status=${status}`}`);
  expect(page.items.length, `a bill that is ${status || "there"}`).toBe(1);
  return page.items[0]!;
}
const path = (bill: BillRow) => `/bills/${bill.code}-${bill.number}`;

test("a stranger with an auditor's login sees a bill proved without being told how", async ({ auditor, ask }) => {
  const bill = await someBill(ask);
  await auditor.goto(path(bill));
  await expect(certificate(auditor)).toHaveClass(/good/);
  await expect(certificate(auditor)).toContainText("凭证有效");
  const download = auditor.waitForEvent("download");
  await auditor.getByRole("button", { name: "下载凭证文件" }).click();
  const file = await (await download).path();
  expect(readFileSync(file).subarray(0, 4).toString()).toBe("BCPF");
  const pdf = await auditor.context().request.get(`/api/v1${path(bill)}/certificate.pdf`);
  expect((await pdf.body()).subarray(0, 5).toString()).toBe("%PDF-");
});

test("a certificate that was downloaded is judged without the server", async ({ auditor, ask }) => {
  const bill = await someBill(ask);
  const bytes = await (await auditor.context().request.get(`/api/v1${path(bill)}/certificate`)).body();
  await auditor.goto("/verify");
  await settled(auditor);
  const asked: string[] = [];
  auditor.on("request", (request) => /\/(verify|bills)/.test(request.url()) && request.url().includes("/api/") && asked.push(request.url()));
  const drop = auditor.locator("input[type=file]");
  await drop.setInputFiles({ name: "a.bcpf", mimeType: "application/octet-stream", buffer: bytes });
  await expect(auditor.getByTestId("offline")).toContainText("链上凭证有效");
  await expect(auditor.getByTestId("offline")).toContainText(`${bill.code}-${bill.number}`);
  const changed = Buffer.from(bytes);
  changed[changed.length - 1]! ^= 1;
  await drop.setInputFiles({ name: "b.bcpf", mimeType: "application/octet-stream", buffer: changed });
  await expect(auditor.getByTestId("offline")).toContainText("链上凭证无效");
  expect(asked).toEqual([]);
});

test("the printed certificate carries the one that is checked", async ({ auditor, ask }) => {
  const bill = await someBill(ask);
  const pdf = await (await auditor.context().request.get(`/api/v1${path(bill)}/certificate.pdf`)).body();
  await auditor.goto("/verify");
  await auditor.locator("input[type=file]").setInputFiles({ name: "c.pdf", mimeType: "application/pdf", buffer: pdf });
  await expect(auditor.getByTestId("offline")).toContainText("链上凭证有效");
});

for (const [what, change] of [
  ["a changed status", (bill: Record<string, unknown>) => (bill.status = bill.status === "normal" ? "reimbursed" : "normal")],
  ["a changed amount", (bill: Record<string, unknown>) => (bill.total_fen = Number(bill.total_fen) + 1)],
  ["a changed digest", (bill: Record<string, unknown>) => (bill.xml_hash = `0x${"12".repeat(32)}`)],
] as const) {
  test(`a server that shows ${what} is found out`, async ({ auditor, ask }) => {
    const bill = await someBill(ask);
    await auditor.route(`**/api/v1${path(bill)}`, async (route) => {
      const answer = await route.fetch();
      const life = (await answer.json()) as { bill: Record<string, unknown> };
      change(life.bill);
      await route.fulfill({ response: answer, json: life });
    });
    await auditor.goto(path(bill));
    await expect(certificate(auditor)).toHaveClass(/differs/);
    await expect(certificate(auditor)).toContainText("与凭证不符");
  });
}

test("a forged certificate is refused, and so is one of another bill", async ({ auditor, ask }) => {
  const [one, other] = (await ask<Listed<BillRow>>("/bills?limit=2")).items as [BillRow, BillRow];
  await auditor.route(`**/api/v1${path(one)}/certificate*`, async (route) => {
    const answer = await route.fetch();
    const bytes = Buffer.from(await answer.body());
    bytes[Math.floor(bytes.length / 2)]! ^= 1;
    await route.fulfill({ response: answer, body: bytes });
  });
  await auditor.goto(path(one));
  await expect(certificate(auditor)).toHaveClass(/refused/);
  await auditor.unrouteAll();
  await auditor.route(`**/api/v1${path(one)}/certificate*`, async (route) => {
    await route.fulfill({ response: await auditor.context().request.get(`/api/v1${path(other)}/certificate`) });
  });
  await auditor.goto(path(one));
  await expect(certificate(auditor)).toHaveClass(/differs/);
});

test("a server that turns to another chain is refused, and said so on every page", async ({ auditor, ask }) => {
  const bill = await someBill(ask);
  await auditor.goto(path(bill));
  await expect(certificate(auditor)).toHaveClass(/good/);
  await auditor.route("**/api/v1/status", async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, json: { ...((await answer.json()) as object), genesis: `0x${"ab".repeat(32)}` } });
  });
  await auditor.goto("/blocks");
  await expect(auditor.locator(".alarm")).toContainText("创世哈希");
  // What was pinned stays: a reload does not make the other chain the believed one.
  await auditor.reload();
  await expect(auditor.locator(".alarm")).toBeVisible();
});

test("a browser that believes another chain sees no tick", async ({ auditor, ask }) => {
  const bill = await someBill(ask);
  await auditor.addInitScript(() => localStorage.setItem("billchain.genesis", `0x${"cd".repeat(32)} confirmed`));
  await auditor.goto(path(bill));
  await expect(certificate(auditor)).toHaveClass(/refused/);
});

test("the reader compares the genesis with one from elsewhere", async ({ auditor, ask }) => {
  const { genesis } = await ask<{ genesis: string }>("/status");
  await auditor.goto("/trust");
  const field = auditor.getByPlaceholder("64 位十六进制创世哈希");
  await field.fill("12".repeat(32));
  await expect(auditor.getByText("与服务器所说的不同")).toBeVisible();
  await field.fill(genesis.slice(2).toUpperCase());
  await expect(auditor.getByText("与服务器所说的一致")).toBeVisible();
  await auditor.getByRole("button", { name: "确认并固定" }).click();
  await expect(auditor.getByText("创世哈希由您确认")).toBeVisible();
});

test("that there is no such bill is proved, and what was looked for is said", async ({ auditor }) => {
  await auditor.goto("/search?q=31069999-9999999999");
  await expect(auditor.getByTestId("nothing")).toBeVisible();
  await expect(certificate(auditor)).toContainText("已证明链上没有这张票据");
  await expect(auditor.getByRole("heading", { name: "查找范围" })).toBeVisible();
  await auditor.goto("/bills/31069999-9999999999");
  await expect(certificate(auditor)).toContainText("已证明链上没有这张票据");
});

test("a server that hides a bill is found out", async ({ auditor, ask }) => {
  const bill = await someBill(ask);
  await auditor.route(`**/api/v1${path(bill)}`, (route) => route.fulfill({ status: 404, json: { error: { code: "not_found", message: "" } } }));
  await auditor.goto(path(bill));
  await expect(certificate(auditor)).toHaveClass(/differs/);
});

test("bills of every status are proved", async ({ auditor, ask }) => {
  test.setTimeout(120_000);
  const { by_status } = await ask<{ by_status: { key: string; count: number }[] }>("/summary");
  const there = by_status.filter((one) => one.count > 0).map((one) => one.key);
  expect(there.length).toBeGreaterThanOrEqual(3);
  for (const status of there) {
    const bill = await someBill(ask, status);
    await auditor.goto(path(bill));
    await expect(certificate(auditor), status).toHaveClass(/good/);
  }
});
