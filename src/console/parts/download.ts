/** Gives the reader a file that the page has made. */

/** How long the browser has to take it, in ms. */
const TAKEN_MS = 60_000;

/** Saves texts, one after the other, as one file in UTF-8. */
export function saveText(parts: readonly string[], name: string, type: string): void {
  const url = URL.createObjectURL(new Blob([...parts], { type: `${type};charset=utf-8` }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), TAKEN_MS);
}
