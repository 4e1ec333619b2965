/** Files that need not be there. */

/** For the catch of a promise: throws what is not that a file is missing. */
export function ignoreMissing(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
