/**
 * The server's limit of time for unary calls, kept where a call comes in: says that a call's signal already ends with it, so
 * that nobody else need keep time for the call.
 */
import { Code, ConnectError, type ContextValues, createContextKey } from "@connectrpc/connect";

const boundKey = createContextKey(false, { description: "the call's signal ends with the server's limit" });

/** Says of a call that its signal aborts, with a ConnectError, at its deadline or at the server's limit. */
export function setCallBound(values: ContextValues): ContextValues {
  return values.set(boundKey, true);
}

/** Whether the call's signal ends with the server's limit. */
export function isCallBound(values: ContextValues): boolean {
  return values.get(boundKey);
}

/** What a call is answered that took the server's limit. */
export function limitPassed(limitMs: number): ConnectError {
  return new ConnectError(`the server's limit of ${limitMs} ms passed`, Code.DeadlineExceeded);
}
