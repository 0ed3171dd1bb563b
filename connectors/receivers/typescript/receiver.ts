/*
 * A platform's receiver of webhooks: an example to copy.
 *
 *   node dist/receiver.js --port 8088 --key 02… [--key 03…] --store events.jsonl [--replay-from HEIGHT]
 *
 * It verifies each request as docs/connectors.md, "Signed requests", says, does the work once
 * for each id, and answers when the event is on disk. Its work here is to keep the event. A
 * platform that lost its store starts with --replay-from: the answers ask for all events of that
 * height and later once more, until the first one of a replay has come.
 *
 * In production it stands behind the platform's own TLS.
 */
import { closeSync, existsSync, fsyncSync, ftruncateSync, openSync, readFileSync, writeSync } from "node:fs";
import { type IncomingMessage, type ServerResponse, createServer } from "node:http";
import { parseArgs } from "node:util";
import { sm2, sm3 } from "sm-crypto-v2";

const MAX_AGE_MS = 300_000;
const MAX_BODY = 4 << 20;

/** Why a request is not believed. */
class Refused extends Error {
  constructor(
    readonly status: number,
    words: string,
  ) {
    super(words);
  }
}

interface Event {
  format: string;
  id: string;
  seq: number;
  topic: string;
}

/** A header that is this many bytes in lower-case hex. */
function hexadecimal(request: IncomingMessage, name: string, bytes: number): string {
  const text = request.headers[name];
  if (typeof text !== "string" || !new RegExp(`^[0-9a-f]{${2 * bytes}}$`).test(text)) {
    throw new Refused(401, `${name}: expected ${2 * bytes} digits of lower-case hex`);
  }
  return text;
}

/** The id of a request that one of `keys` signed. Keys by their compressed form. */
function verify(request: IncomingMessage, body: Buffer, keys: Map<string, string>, now: number): string {
  const id = hexadecimal(request, "x-billchain-id", 32);
  const stamp = request.headers["x-billchain-timestamp"];
  if (typeof stamp !== "string" || !/^[0-9]{1,15}$/.test(stamp) || Math.abs(Number(stamp) - now) > MAX_AGE_MS) {
    throw new Refused(401, "x-billchain-timestamp: expected milliseconds within five minutes of now");
  }
  const key = keys.get(hexadecimal(request, "x-billchain-key", 33));
  if (key === undefined) {
    throw new Refused(401, "x-billchain-key: not a known caller");
  }
  const signature = hexadecimal(request, "x-billchain-signature", 64);
  const lines = ["billchain-request/1", request.method, request.url, stamp, id, sm3(new Uint8Array(body))];
  let holds = false;
  try {
    holds = sm2.doVerifySignature(lines.join("\n"), signature, key, { hash: true, der: false });
  } catch {
    // Numbers out of their range.
  }
  if (!holds) {
    throw new Refused(401, "x-billchain-signature: does not fit");
  }
  return id;
}

function parse(body: Buffer, id: string): Event {
  let event: Event | undefined;
  try {
    event = JSON.parse(body.toString("utf8")) as Event;
  } catch {
    // Said below.
  }
  const fits =
    event?.format === "billchain-event/1" && event.id === id &&
    Number.isSafeInteger(event.seq) && typeof event.topic === "string";
  if (!event || !fits) {
    throw new Refused(422, "the body: expected a billchain-event/1 with the id of the request");
  }
  return event;
}

/** The events, once each, one a line. A line that a crash cut short was never answered. */
class Store {
  private readonly ids = new Set<string>();
  private readonly file: number;

  constructor(path: string) {
    const before = existsSync(path) ? readFileSync(path) : Buffer.alloc(0);
    const whole = before.lastIndexOf(10) + 1;
    for (const line of before.subarray(0, whole).toString("utf8").split("\n")) {
      if (line !== "") this.ids.add((JSON.parse(line) as Event).id);
    }
    const file = openSync(path, "a+");
    ftruncateSync(file, whole);
    this.file = file;
  }

  get count(): number {
    return this.ids.size;
  }

  /** Whether the event is new: it is on disk when this returns. */
  take(event: Event): boolean {
    if (this.ids.has(event.id)) return false;
    writeSync(this.file, `${JSON.stringify(event)}\n`);
    fsyncSync(this.file);
    this.ids.add(event.id);
    return true;
  }

  close(): void {
    closeSync(this.file);
  }
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of request) {
    length += (part as Buffer).length;
    if (length > MAX_BODY) throw new Refused(413, `the body: expected at most ${MAX_BODY} bytes`);
    parts.push(part as Buffer);
  }
  return Buffer.concat(parts);
}

const { values } = parseArgs({
  options: {
    port: { type: "string" },
    key: { type: "string", multiple: true },
    store: { type: "string" },
    "replay-from": { type: "string" },
  },
});
if (!values.port || !values.key || !values.store) {
  throw new Error("expected --port, --key and --store");
}
const keys = new Map(values.key.map((key) => [key, sm2.precomputePublicKey(key).toHex(false)]));
const store = new Store(values.store);
let replayFrom = values["replay-from"];

async function answer(request: IncomingMessage): Promise<object> {
  const body = await bodyOf(request);
  const id = verify(request, body, keys, Date.now());
  if (request.method === "GET") return { events: store.count };
  const event = parse(body, id);
  if (request.headers["x-billchain-replay"] !== undefined) replayFrom = undefined;
  return { received: id, new: store.take(event) };
}

function reply(response: ServerResponse, status: number, value: object): void {
  const headers: Record<string, string> = { "content-type": "application/json" };
  if (status === 200 && replayFrom !== undefined) headers["x-billchain-replay-from"] = replayFrom;
  if (status !== 200) headers["connection"] = "close";
  response.writeHead(status, headers).end(JSON.stringify(value));
}

createServer((request, response) => {
  answer(request).then(
    (value) => reply(response, 200, value),
    (error: unknown) =>
      error instanceof Refused
        ? reply(response, error.status, { error: error.message })
        : reply(response, 500, { error: "the event could not be kept" }),
  );
}).listen(Number(values.port), "127.0.0.1", () => console.log("ready"));
