/** Signs a challenge with a key file, in a worker that lives as long as that takes. */

import { fromHex, toHex } from "./hex";
import type { Answer, Order } from "../workers/key.worker";

export type { Answer as Signed } from "../workers/key.worker";

export function signWith(order: Order): Promise<Answer> {
  const worker = new Worker(new URL("../workers/key.worker.ts", import.meta.url), { type: "module" });
  return new Promise<Answer>((resolve, reject) => {
    worker.onmessage = (event: MessageEvent<Answer>) => resolve(event.data);
    worker.onerror = (event) => reject(new Error(event.message));
    worker.postMessage(order);
  }).finally(() => worker.terminate());
}

const PREFIX = "billchain identity challenge:";

/**
 * What the server wants signed, if it is a challenge of identity (docs/rpc.md) and nothing else: a server must
 * not get a transaction signed. Throws otherwise.
 */
export function challengeOf(message: string): string {
  const bytes = fromHex(message);
  const text = new TextDecoder("latin1").decode(bytes ?? new Uint8Array());
  const rest = text.length - PREFIX.length;
  if (!text.startsWith(PREFIX) || rest < 16 || rest > 1024) throw new Error(`no challenge: expected ${PREFIX} and 16 to 1024 bytes`);
  return toHex(bytes!);
}
