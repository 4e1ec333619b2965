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
const changed = new EventTarget();
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

/** Calls back when the colours have changed, until what it answers is called: for what is drawn and not styled. */
export function onTheme(listener: () => void): () => void {
  changed.addEventListener("theme", listener);
  return () => changed.removeEventListener("theme", listener);
}

/** Has the page follow the choice, and the system where that is the choice. */
export function followTheme(): void {
  apply();
  dark.addEventListener("change", apply);
}

function apply(): void {
  const isDark = theme === "system" ? dark.matches : theme === "dark";
  document.documentElement.dataset["theme"] = isDark ? "dark" : "light";
  changed.dispatchEvent(new Event("theme"));
}
