/**
 * The key or token that the reader typed in. It is kept for the tab alone, and for good only where that was asked for;
 * it never stands in an address.
 */
const STORED_AS = "holdfast.key";

/** The key or token; undefined where none was typed in. */
export function storedKey(): string | undefined {
  return sessionStorage.getItem(STORED_AS) ?? localStorage.getItem(STORED_AS) ?? undefined;
}

/** Keeps it: for this tab, or with `remember` for every tab of this browser until it is forgotten. */
export function keepKey(key: string, remember: boolean): void {
  forgetKey();
  (remember ? localStorage : sessionStorage).setItem(STORED_AS, key);
}

/** Forgets it, in this tab and in the browser. */
export function forgetKey(): void {
  sessionStorage.removeItem(STORED_AS);
  localStorage.removeItem(STORED_AS);
}
