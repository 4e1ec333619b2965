/** The language of the page: the reader's choice, else the browser's. Each page has a table of words in each. */
import { forBrowser } from "../parts/browser_storage.ts";

/** The languages that there are. */
export type Language = "en" | "zh";
export const LANGUAGES: readonly Language[] = ["en", "zh"];

/** One table in each language. */
export type Words<Table> = Readonly<Record<Language, Table>>;

const STORED_AS = "holdfast.language";
const changed = new EventTarget();
let chosen: Language | undefined = stored();

function stored(): Language | undefined {
  const text = forBrowser.getItem(STORED_AS);
  return LANGUAGES.find((language) => language === text);
}

/** The language now. */
export function language(): Language {
  return chosen ?? (/^zh\b/i.test(navigator.language) ? "zh" : "en");
}

/** What numbers and times are written in: the browser's locale, where it is one of the language. */
export function locale(): string {
  const own = navigator.languages.find((each) => each.toLowerCase().startsWith(language()));
  return own ?? (language() === "zh" ? "zh-CN" : "en");
}

/** Chooses a language, for good. */
export function setLanguage(to: Language): void {
  chosen = to;
  forBrowser.setItem(STORED_AS, to);
  document.documentElement.lang = locale();
  changed.dispatchEvent(new Event("language"));
}

/** Calls back when the language has changed, until what it answers is called. */
export function onLanguage(listener: () => void): () => void {
  changed.addEventListener("language", listener);
  return () => changed.removeEventListener("language", listener);
}

/** The words of a table in the language of now: `const w = wordsOf(GOODS)`, with `import * as GOODS`. */
export function wordsOf<Table>(tables: Words<Table>): Table {
  return tables[language()];
}
