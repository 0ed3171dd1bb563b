/** Something that is asked of the server: what came, whether it is still under way, why it failed. */

import { onScopeDispose, ref, shallowRef, watch, type Ref, type ShallowRef } from "vue";

export interface Query<T> {
  data: ShallowRef<T | null>;
  error: ShallowRef<unknown>;
  loading: Ref<boolean>;
  again(): void;
}

/**
 * Asks whenever what `source` reads changes; an older question is given up. What came before stays
 * until the next answer, unless `fresh` says that another thing is asked about.
 */
export function useQuery<S, T>(
  source: () => S,
  ask: (asked: S, signal: AbortSignal) => Promise<T>,
  options: { fresh?: boolean } = {},
): Query<T> {
  const data = shallowRef<T | null>(null);
  const error = shallowRef<unknown>(null);
  const loading = ref(false);
  let running: AbortController | null = null;
  const run = async (asked: S) => {
    running?.abort();
    const mine = (running = new AbortController());
    loading.value = true;
    error.value = null;
    if (options.fresh) data.value = null;
    try {
      const answer = await ask(asked, mine.signal);
      if (running === mine) data.value = answer;
    } catch (problem) {
      if (running === mine && !mine.signal.aborted) {
        error.value = problem;
        data.value = null;
      }
    } finally {
      if (running === mine) loading.value = false;
    }
  };
  watch(() => JSON.stringify(source()), () => void run(source()), { immediate: true });
  onScopeDispose(() => {
    running?.abort();
    running = null;
  });
  return { data, error, loading, again: () => void run(source()) };
}
