/**
 * Which chain this browser believes: the hash of its genesis block (创世哈希).
 *
 * A page that was built for one chain carries the hash. Otherwise the browser keeps the first that it
 * sees, says so, and from then on refuses any other: a server that turns to another chain is found out.
 * A reader who has the hash from elsewhere compares it once, and confirms it.
 */

import { computed, ref } from "vue";
import { sameHash } from "./hex";

export type Trust = "built" | "confirmed" | "firstSeen";

interface Pin {
  hash: string;
  trust: Trust;
}

const STORED = "billchain.genesis";

function load(): Pin | null {
  if (__GENESIS__ !== "") return { hash: __GENESIS__, trust: "built" };
  try {
    const [hash, trust] = (localStorage.getItem(STORED) ?? "").split(" ");
    if (!/^0x[0-9a-f]{64}$/.test(hash ?? "")) return null;
    return { hash: hash!, trust: trust === "confirmed" ? "confirmed" : "firstSeen" };
  } catch {
    return null;
  }
}

export const pin = ref<Pin | null>(load());
/** The hash that the server names. */
export const served = ref<string | null>(null);
/** The server names another chain than the one that is believed. */
export const otherChain = computed(() => !!pin.value && !!served.value && !sameHash(pin.value.hash, served.value));

function store(next: Pin): void {
  pin.value = next;
  try {
    localStorage.setItem(STORED, `${next.hash} ${next.trust}`);
  } catch {
    // Believed as long as the page.
  }
}

/** The server named a genesis: the first one is kept, no later one replaces it. */
export function see(hash: string): void {
  const digits = hash.toLowerCase();
  if (!/^0x[0-9a-f]{64}$/.test(digits)) return;
  served.value = digits;
  if (!pin.value) store({ hash: digits, trust: "firstSeen" });
}

/** The reader has the hash from elsewhere, and says that this is it. */
export function confirm(hash: string): void {
  if (pin.value?.trust === "built") return;
  store({ hash: `0x${hash.toLowerCase().slice(-64)}`, trust: "confirmed" });
}
