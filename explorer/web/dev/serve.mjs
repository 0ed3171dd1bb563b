// For work on the page alone: serves dist under the product's policy, with made-up answers in place of
// the explorer's server. It is no part of the product, and nothing that it answers is counted as a test.
//
//   node dev/serve.mjs [PORT] [ROLE]        ROLE: public (none), participant, operator, auditor, administrator

import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { answer, certificateOf } from "./answers.mjs";

const [port = "40310", role = "auditor"] = process.argv.slice(2);
const root = new URL("../dist/", import.meta.url).pathname;
const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".wasm": "application/wasm" };
const POLICY =
  "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data: blob:; worker-src 'self'; " +
  "connect-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'";

createServer(async (request, response) => {
  const url = new URL(request.url, "http://localhost");
  response.setHeader("content-security-policy", POLICY);
  if (url.pathname.startsWith("/api/v1/")) return api(url, request, response);
  const name = extname(url.pathname) === "" ? "index.html" : url.pathname;
  try {
    const body = await readFile(join(root, normalize(name)));
    response.setHeader("content-type", TYPES[extname(name)] ?? "application/octet-stream");
    response.end(body);
  } catch {
    response.writeHead(404).end();
  }
}).listen(Number(port), "127.0.0.1", () => console.log(`http://127.0.0.1:${port} as ${role}`));

async function api(url, request, response) {
  const path = url.pathname.slice("/api/v1".length);
  if (path === "/events") {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(": here\n\n");
    return;
  }
  let body = "";
  for await (const piece of request) body += piece;
  if (path.endsWith("/certificate")) {
    const bytes = await certificateOf(path);
    response.writeHead(bytes ? 200 : 404, { "content-type": "application/octet-stream" }).end(bytes ?? "");
    return;
  }
  const said = answer(path, url.searchParams, role, body === "" ? null : JSON.parse(body));
  response.writeHead(said === undefined ? 404 : 200, { "content-type": "application/json" });
  response.end(JSON.stringify(said ?? { error: { code: "not_found", message: "there is no such thing" } }));
}
