/** Light and dark: as the system says, until the reader says otherwise. */

import { computed, ref } from "vue";

export type Theme = "auto" | "light" | "dark";

const STORED = "billchain.theme";
const system = typeof matchMedia === "undefined" ? null : matchMedia("(prefers-color-scheme: dark)");
const systemDark = ref(system?.matches ?? false);
system?.addEventListener("change", (event) => {
  systemDark.value = event.matches;
  apply();
});

export const theme = ref<Theme>("auto");
export const dark = computed(() => (theme.value === "auto" ? systemDark.value : theme.value === "dark"));

export function setTheme(wanted: Theme): void {
  theme.value = wanted;
  try {
    localStorage.setItem(STORED, wanted);
  } catch {
    // Kept as long as the page.
  }
  apply();
}

export function startTheme(): void {
  try {
    const stored = localStorage.getItem(STORED);
    if (stored === "light" || stored === "dark") theme.value = stored;
  } catch {
    // As the system says.
  }
  apply();
}

function apply(): void {
  document.documentElement.classList.toggle("dark", dark.value);
}
