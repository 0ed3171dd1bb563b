import { createApp, defineComponent, h, nextTick } from "vue";
import { createMemoryHistory, createRouter } from "vue-router";
import { describe, expect, it } from "vitest";
import FilterBar, { type Field } from "../../src/components/FilterBar.vue";
import { useListing, type Listing } from "../../src/lib/listing";

/** A list at an address, with its filters drawn. */
async function at(path: string, fields: Field[]): Promise<{ listing: Listing; address: () => string; root: HTMLElement; settled: () => Promise<void> }> {
  let listing: Listing | undefined;
  const page = defineComponent({
    setup() {
      listing = useListing(fields.map((field) => field.name), "-issue_date");
      return () => h(FilterBar, { fields, listing: listing! });
    },
  });
  const router = createRouter({ history: createMemoryHistory(), routes: [{ path: "/:any(.*)*", component: page }] });
  const app = createApp({ render: () => h("div", [h(page)]) }).use(router);
  await router.push(path);
  const root = document.createElement("div");
  document.body.append(root);
  app.mount(root);
  const settled = async () => {
    await new Promise((resolve) => setTimeout(resolve));
    await nextTick();
  };
  return { listing: listing!, address: () => router.currentRoute.value.fullPath, root, settled };
}

const FIELDS: Field[] = [
  { name: "from", title: "from", kind: "date" }, { name: "min", title: "min", kind: "yuan" },
  { name: "status", title: "status", kind: "select", options: [{ value: "normal", title: "Normal" }] },
];

describe("a list in the address", () => {
  it("reads filters, order, page and columns from it, and no more than it knows", async () => {
    const { listing } = await at("/bills?status=normal&evil=1&sort=issue_date&cursor=abc&limit=50&columns=a,b", FIELDS);
    expect(listing.query.value).toEqual({ status: "normal", sort: "issue_date", cursor: "abc", limit: "50" });
    expect(listing.columns.value).toEqual(["a", "b"]);
  });

  it("takes what is not offered for what is usual", async () => {
    const { listing } = await at("/bills?limit=100000&status=a&status=b", FIELDS);
    expect(listing.limit.value).toBe(20);
    expect(listing.filters.value).toEqual({ status: "a" });
    expect(listing.columns.value).toBeNull();
  });

  it("goes to the first page when a filter changes, and back to the address", async () => {
    const { listing, address, settled } = await at("/bills?cursor=abc&limit=50", FIELDS);
    listing.filter({ status: "normal" });
    await settled();
    expect(address()).toBe("/bills?limit=50&status=normal");
    listing.turnTo("def");
    await settled();
    expect(listing.cursor.value).toBe("def");
    listing.orderBy("-issue_date");
    await settled();
    expect(address()).toBe("/bills?limit=50&status=normal");
  });

  it("shows days and yuan, and asks with the chain's numbers", async () => {
    const { root, address, settled } = await at("/bills?from=20260318&min=11050", FIELDS);
    const [from, min] = [...root.querySelectorAll("input")] as [HTMLInputElement, HTMLInputElement];
    expect([from.value, min.value]).toEqual(["2026-03-18", "110.50"]);
    min.value = "¥1,234.5";
    min.dispatchEvent(new Event("input"));
    root.querySelector("form")!.dispatchEvent(new Event("submit", { cancelable: true, bubbles: true }));
    await settled();
    expect(address()).toBe("/bills?from=20260318&min=123450");
  });
});
