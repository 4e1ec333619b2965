/** What must be true wherever the program is right: a violation is a fault of ours, and never a caller's. */

/** A rule of the program itself was broken. */
export class InvariantError extends Error {
  override name = "InvariantError";
}

/** Throws InvariantError with the message, which names the state that was found, unless the condition is true. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}

/** Throws InvariantError for what happened to something whose state has no such transition. */
export function illegalTransition(what: string, state: string | undefined, event: string): never {
  throw new InvariantError(`${what} is ${state ?? "unknown"}, and can't be ${event}`);
}
