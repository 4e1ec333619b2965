/** What the browser keeps for the page. Where its reader forbids that, it is known until the page is left. */

/** As much of `Storage` as is used. */
export type KeptTexts = Pick<Storage, "getItem" | "setItem" | "removeItem">;

/** For this browser, until it is forgotten. */
export const forBrowser: KeptTexts = storageOf(() => localStorage);
/** For this tab. */
export const forTab: KeptTexts = storageOf(() => sessionStorage);

/** The browser's, or one in memory where asking for it alone is an error. */
function storageOf(get: () => Storage): KeptTexts {
  try {
    return get();
  } catch {
    const texts = new Map<string, string>();
    return {
      getItem: (name) => texts.get(name) ?? null,
      setItem: (name, text) => void texts.set(name, text),
      removeItem: (name) => void texts.delete(name),
    };
  }
}
