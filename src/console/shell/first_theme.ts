/**
 * Light or dark before anything is drawn: a script that the browser waits for, and so small and without a part of it
 * elsewhere. The page's own scripts come when it is drawn already, and follow the choice from then on (`theme.ts`).
 */

/** The choice where there is one; undefined also where the browser may keep nothing. */
function kept(): string | null | undefined {
  try {
    return localStorage.getItem("holdfast.theme");
  } catch {
    return undefined;
  }
}

const choice = kept();
const isDark = choice === "dark" || choice !== "light" && matchMedia("(prefers-color-scheme: dark)").matches;
document.documentElement.dataset["theme"] = isDark ? "dark" : "light";
