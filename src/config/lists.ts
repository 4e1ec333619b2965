/** The lists among the settings: entries between commas. Pure. */
import { AddressError } from "./address_text.ts";

/**
 * The entries of a list, with the space around each taken away.
 *
 * Throws AddressError for an empty entry: it may be a variable that was not set, and a lock over four nodes is not one
 * over five.
 */
export function splitList(text: string): string[] {
  const entries = text.split(",").map((entry) => entry.trim());
  const empty = entries.indexOf("");
  if (empty >= 0) {
    throw new AddressError([
      `entry ${empty + 1} of ${entries.length} is empty; expected entries between single commas`,
    ]);
  }
  return entries;
}

/**
 * What `read` makes of each entry. Throws AddressError with the problems of all that it throws for, by their places.
 */
export function eachOf<T>(entries: readonly string[], read: (entry: string) => T): T[] {
  const problems: string[] = [];
  const values = entries.flatMap((entry, i) => {
    try {
      return [read(entry)];
    } catch (error) {
      if (!(error instanceof AddressError)) throw error;
      problems.push(...error.problems.map((problem) => entries.length === 1 ? problem : `entry ${i + 1}: ${problem}`));
      return [];
    }
  });
  if (problems.length > 0) throw new AddressError(problems);
  return values;
}

/** The entries that came before, by their places from 1, each with the place of the first that is the same. */
export function duplicates(keys: readonly string[]): { readonly place: number; readonly first: number }[] {
  return keys.flatMap((key, i) => {
    const first = keys.indexOf(key);
    return first < i ? [{ place: i + 1, first: first + 1 }] : [];
  });
}
