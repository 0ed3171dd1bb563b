// What ./test runs in a browser: every answer is that of Node.js.
import { load } from "./index.mjs";

const shown = document.querySelector("p");
try {
  const { json, jsonFrom } = await load(fetch("billchain_verifier.wasm"));
  const expected = await (await fetch("answers.json")).json();
  const bytes = (digits) => Uint8Array.from(digits.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
  const same = expected.filter(({ certificate, genesis, checkpoint, answer }) => answer ===
    (checkpoint ? jsonFrom(bytes(certificate), checkpoint) : json(bytes(certificate), genesis)));
  shown.textContent = `${same.length} of ${expected.length} answers are the same`;
} catch (error) {
  shown.textContent = String(error);
}
