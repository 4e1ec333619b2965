/**
 * The key or token that the reader typed in. It is kept for the tab alone, and for good only where that was asked for;
 * it never stands in an address.
 */
import { forBrowser, forTab } from "../parts/browser_storage.ts";

const STORED_AS = "holdfast.key";

/** The key or token; undefined where none was typed in. */
export function storedKey(): string | undefined {
  return forTab.getItem(STORED_AS) ?? forBrowser.getItem(STORED_AS) ?? undefined;
}

/** Keeps it: for this tab, or with `remember` for every tab of this browser that has none of its own. */
export function keepKey(key: string, remember: boolean): void {
  if (!remember) return forTab.setItem(STORED_AS, key);
  forTab.removeItem(STORED_AS);
  forBrowser.setItem(STORED_AS, key);
}

/** Calls back when another tab has remembered or forgotten the key that this one calls by. */
export function onKeyElsewhere(listener: () => void): void {
  addEventListener("storage", ({ storageArea, key }: StorageEvent) => {
    const isKey = storageArea === forBrowser && (key === STORED_AS || key === null);
    if (isKey && forTab.getItem(STORED_AS) === null) listener();
  });
}

/** Forgets it, in this tab and in the browser. */
export function forgetKey(): void {
  forTab.removeItem(STORED_AS);
  forBrowser.removeItem(STORED_AS);
}
