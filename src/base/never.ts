/** A signal that never aborts, for work that nobody's leaving stops. */
export const NEVER: AbortSignal = new AbortController().signal;
