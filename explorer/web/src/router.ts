/** The pages and their addresses; each is fetched when it is opened. */

import { nextTick } from "vue";
import { createRouter, createWebHistory, type RouteRecordRaw } from "vue-router";
import type { Key } from "./i18n";

declare module "vue-router" {
  interface RouteMeta {
    title: Key;
  }
}

const page = (path: string, name: string, title: Key, component: RouteRecordRaw["component"]): RouteRecordRaw =>
  ({ path, name, meta: { title }, component, props: true }) as RouteRecordRaw;

export const routes: RouteRecordRaw[] = [
  page("/", "home", "nav.home", () => import("./pages/HomePage.vue")),
  page("/search", "search", "nav.search", () => import("./pages/SearchPage.vue")),
  page("/verify", "verify", "nav.verify", () => import("./pages/VerifyPage.vue")),
  page("/bills", "bills", "nav.bills", () => import("./pages/BillsPage.vue")),
  page("/bills/:code(\\d{8})-:number(\\d{10})", "bill", "nav.bill", () => import("./pages/BillPage.vue")),
  page("/blocks", "blocks", "nav.blocks", () => import("./pages/BlocksPage.vue")),
  page("/blocks/:id", "block", "nav.block", () => import("./pages/BlockPage.vue")),
  page("/transactions", "transactions", "nav.transactions", () => import("./pages/TransactionsPage.vue")),
  page("/transactions/:hash", "transaction", "nav.transaction", () => import("./pages/TransactionPage.vue")),
  page("/participants", "participants", "nav.participants", () => import("./pages/ParticipantsPage.vue")),
  page("/participants/:did", "participant", "nav.participant", () => import("./pages/ParticipantPage.vue")),
  page("/nodes", "nodes", "nav.nodes", () => import("./pages/NodesPage.vue")),
  page("/nodes/:did", "node", "nav.node", () => import("./pages/NodePage.vue")),
  page("/scenes", "scenes", "nav.scenes", () => import("./pages/ScenesPage.vue")),
  page("/scenes/:id(\\d+)", "scene", "nav.scene", () => import("./pages/ScenePage.vue")),
  page("/policies", "policies", "nav.policies", () => import("./pages/PoliciesPage.vue")),
  page("/policies/:id(\\d+)", "policy", "nav.policy", () => import("./pages/PolicyPage.vue")),
  page("/rules", "rules", "nav.rules", () => import("./pages/RulesPage.vue")),
  page("/grants", "grants", "nav.grants", () => import("./pages/GrantsPage.vue")),
  page("/grants/:id", "grant", "nav.grant", () => import("./pages/GrantPage.vue")),
  page("/disputes", "disputes", "nav.disputes", () => import("./pages/DisputesPage.vue")),
  page("/disputes/:id(\\d+)", "dispute", "nav.dispute", () => import("./pages/DisputePage.vue")),
  page("/motions", "motions", "nav.motions", () => import("./pages/MotionsPage.vue")),
  page("/motions/:id", "motion", "nav.motion", () => import("./pages/MotionPage.vue")),
  page("/validators", "validators", "nav.validators", () => import("./pages/ValidatorsPage.vue")),
  page("/statistics", "statistics", "nav.statistics", () => import("./pages/StatisticsPage.vue")),
  page("/report/:month(\\d{6})", "report", "nav.report", () => import("./pages/ReportPage.vue")),
  page("/operations", "operations", "nav.operations", () => import("./pages/OperationsPage.vue")),
  page("/access-log", "access-log", "nav.accessLog", () => import("./pages/AccessLogPage.vue")),
  page("/users", "users", "nav.users", () => import("./pages/UsersPage.vue")),
  page("/trust", "trust", "nav.trust", () => import("./pages/TrustPage.vue")),
  page("/login", "login", "nav.login", () => import("./pages/LoginPage.vue")),
  page("/:any(.*)*", "missing", "nav.missing", () => import("./pages/MissingPage.vue")),
];

export const router = createRouter({
  history: createWebHistory(),
  routes,
  scrollBehavior: (to, from, kept) => kept ?? (to.path === from.path ? {} : { top: 0 }),
});

// Who does not see the page hears which one it is: its heading has the focus.
router.afterEach(async (to, from, failure) => {
  if (failure || to.path === from.path || from.matched.length === 0) return;
  await nextTick();
  document.getElementById("page-title")?.focus({ preventScroll: true });
});
