/** What happens now, as the server tells it (server-sent events); taken up again when the line breaks. */

import { onScopeDispose, ref, type Ref } from "vue";

/** Calls `told` with each event of the kinds; the state says whether the line stands. */
export function useLive(path: string, kinds: Record<string, (data: unknown) => void>): Ref<"open" | "waiting" | "closed"> {
  const state = ref<"open" | "waiting" | "closed">("waiting");
  if (typeof EventSource === "undefined") return state;
  const source = new EventSource(path, { withCredentials: true });
  source.onopen = () => (state.value = "open");
  source.onerror = () => (state.value = source.readyState === EventSource.CLOSED ? "closed" : "waiting");
  for (const [kind, told] of Object.entries(kinds)) {
    source.addEventListener(kind, (event) => {
      try {
        told(JSON.parse((event as MessageEvent<string>).data));
      } catch {
        // An event that is no JSON is not shown; the next question tells what is so.
      }
    });
  }
  onScopeDispose(() => source.close());
  return state;
}
