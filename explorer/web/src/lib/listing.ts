/** What a list shows, kept in the URL: filters, order, page and columns. */

import { computed, type ComputedRef } from "vue";
import { useRoute, useRouter, type LocationQuery } from "vue-router";

/** Values of filters by name; none: not filtered by. */
export type Filters = Record<string, string>;

export interface Listing {
  filters: ComputedRef<Filters>;
  sort: ComputedRef<string>;
  cursor: ComputedRef<string>;
  limit: ComputedRef<number>;
  columns: ComputedRef<string[] | null>;
  /** Everything that the server is asked with. */
  query: ComputedRef<Record<string, string>>;
  /** Takes other filters, and goes to the first page. */
  filter(changes: Record<string, string | null>): void;
  orderBy(sort: string): void;
  turnTo(cursor: string | null): void;
  choose(columns: string[] | null): void;
  resize(limit: number): void;
}

export const LIMITS = [20, 50, 100];
const OWN = new Set(["sort", "cursor", "limit", "columns"]);

function text(query: LocationQuery, name: string): string {
  const value = query[name];
  return (Array.isArray(value) ? value[0] : value) ?? "";
}

/** `names` are the filters that the list knows; others in the URL are left alone and not sent. */
export function useListing(names: readonly string[], order: string): Listing {
  const route = useRoute();
  const router = useRouter();
  const go = (changes: Record<string, string | null>) => {
    const query: LocationQuery = { ...route.query };
    for (const [name, value] of Object.entries(changes)) {
      if (value === null || value === "") delete query[name];
      else query[name] = value;
    }
    void router.push({ query });
  };
  const filters = computed(() => {
    const found: Filters = {};
    for (const name of names) {
      const value = OWN.has(name) ? "" : text(route.query, name);
      if (value !== "") found[name] = value;
    }
    return found;
  });
  const sort = computed(() => text(route.query, "sort") || order);
  const cursor = computed(() => text(route.query, "cursor"));
  const limit = computed(() => {
    const asked = Number(text(route.query, "limit"));
    return LIMITS.includes(asked) ? asked : LIMITS[0]!;
  });
  const columns = computed(() => {
    const chosen = text(route.query, "columns");
    return chosen === "" ? null : chosen.split(",");
  });
  const query = computed(() => ({
    ...filters.value,
    ...(sort.value === "" ? {} : { sort: sort.value }),
    ...(cursor.value === "" ? {} : { cursor: cursor.value }),
    limit: String(limit.value),
  }));
  return {
    filters, sort, cursor, limit, columns, query,
    filter: (changes) => go({ ...changes, cursor: null }),
    orderBy: (wanted) => go({ sort: wanted === order ? null : wanted, cursor: null }),
    turnTo: (wanted) => go({ cursor: wanted }),
    choose: (wanted) => go({ columns: wanted === null ? null : wanted.join(",") }),
    resize: (wanted) => go({ limit: wanted === LIMITS[0] ? null : String(wanted), cursor: null }),
  };
}
