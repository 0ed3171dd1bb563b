/** Who is signed in, and what that role may see. */

import { computed, shallowRef } from "vue";
import { post, setToken } from "../api/client";
import { session as ask } from "../api/explorer";
import type { Session, User } from "../api/types";

export const session = shallowRef<Session | null>(null);

export function take(next: Session): void {
  session.value = next;
  setToken(next.csrf);
}

let first: Promise<void> | null = null;

export async function loadSession(): Promise<void> {
  try {
    take(await ask());
  } catch {
    session.value = null;
  }
}

/** When it is known who is signed in. */
export function sessionKnown(): Promise<void> {
  return (first ??= loadSession());
}

export const signedIn = computed(() => !!session.value?.user);
/** Whether the server shows proofs of absence: to a stranger they would tell which numbers are taken. */
export const mayProveAbsence = computed(() => signedIn.value && session.value?.user?.role !== "participant");

export async function logout(): Promise<void> {
  await post("/session/logout", {});
  await loadSession();
}

type Right = "operations" | "accessLog" | "export" | "users";

const RIGHTS: Record<User["role"], Right[]> = {
  participant: ["export", "accessLog"],
  operator: ["operations", "export"],
  auditor: ["operations", "accessLog", "export"],
  administrator: ["operations", "accessLog", "export", "users"],
};

/** Whether the page offers it; the server decides. */
export function may(right: Right): boolean {
  const user = session.value?.user;
  return !!user && RIGHTS[user.role].includes(right);
}
