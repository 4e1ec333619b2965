/** What the callers of a test bring with every call, for tests whose servers ask who calls. */

let headers: Readonly<Record<string, string>> = {};

/** Nothing, unless it was set. */
export function identityHeaders(): Readonly<Record<string, string>> {
  return headers;
}

/** From now on, until the returned function is called. */
export function setIdentityHeaders(given: Readonly<Record<string, string>>): () => void {
  headers = given;
  return () => headers = {};
}
