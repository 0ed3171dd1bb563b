/** How far the index has come: asked every few seconds, and told in the head of every page. */

import { ref, shallowRef } from "vue";
import { status as ask } from "../api/explorer";
import type { Status } from "../api/types";
import { see } from "./genesis";

const EVERY = 3_000;

export const status = shallowRef<Status | null>(null);
/** The server did not answer the last time. */
export const unreachable = ref(false);

async function look(): Promise<void> {
  try {
    const said = await ask();
    see(said.genesis);
    status.value = said;
    unreachable.value = false;
  } catch {
    unreachable.value = true;
  }
}

export function startStatus(): void {
  void look();
  setInterval(() => {
    if (document.visibilityState === "visible") void look();
  }, EVERY);
}
