/**
 * Light or dark: the reader's choice, else the system's. The colours themselves stand in `theme.css`, and what holds
 * until this script is here in `first_theme.ts`.
 */
import { forBrowser } from "../parts/browser_storage.ts";

export const THEMES = ["system", "light", "dark"] as const;
/** What the reader chose. */
export type Theme = typeof THEMES[number];

/** `first_theme.ts` looks there as well. */
const STORED_AS = "holdfast.theme";
const dark = matchMedia("(prefers-color-scheme: dark)");
let theme: Theme = THEMES.find((each) => each === forBrowser.getItem(STORED_AS)) ?? "system";

/** The choice. */
export function chosenTheme(): Theme {
  return theme;
}

/** Chooses, for good. */
export function setTheme(to: Theme): void {
  theme = to;
  forBrowser.setItem(STORED_AS, to);
  apply();
}

/**
 * Has the page follow the choice, and the system where that is the choice. What is drawn and not styled looks at the
 * attribute that changes (`parts/time_chart.ts`).
 */
export function followTheme(): void {
  apply();
  dark.addEventListener("change", apply);
}

function apply(): void {
  const isDark = theme === "system" ? dark.matches : theme === "dark";
  document.documentElement.dataset["theme"] = isDark ? "dark" : "light";
}
