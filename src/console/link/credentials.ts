/**
 * The key or token that the reader typed in. It is kept for the tab alone, and for good only where that was asked for;
 * it never stands in an address.
 */
const STORED_AS = "holdfast.key";

/** The key or token; undefined where none was typed in. */
export function storedKey(): string | undefined {
  return sessionStorage.getItem(STORED_AS) ?? localStorage.getItem(STORED_AS) ?? undefined;
}

/** Keeps it: for this tab, or with `remember` for every tab of this browser that has none of its own. */
export function keepKey(key: string, remember: boolean): void {
  if (!remember) return sessionStorage.setItem(STORED_AS, key);
  sessionStorage.removeItem(STORED_AS);
  localStorage.setItem(STORED_AS, key);
}

/** Calls back when another tab has remembered or forgotten the key that this one calls by. */
export function onKeyElsewhere(listener: () => void): void {
  addEventListener("storage", ({ storageArea, key }: StorageEvent) => {
    const isKey = storageArea === localStorage && (key === STORED_AS || key === null);
    if (isKey && sessionStorage.getItem(STORED_AS) === null) listener();
  });
}

/** Forgets it, in this tab and in the browser. */
export function forgetKey(): void {
  sessionStorage.removeItem(STORED_AS);
  localStorage.removeItem(STORED_AS);
}
