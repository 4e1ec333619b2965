/**
 * What is thrown, in the local stand-in for jsr:@std/assert (see mod.ts for why it exists): the error of a failed
 * assertion, and the assertions about what other code throws. It knows nothing of comparing values.
 */
import { inspect } from "node:util";

/** Any class, abstract or not, whose instances are T. */
// deno-lint-ignore no-explicit-any
export type AnyClass<T> = abstract new (...args: any[]) => T;

/** What every failed assertion throws. */
export class AssertionError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "AssertionError";
  }
}

/** The end of a failure's first sentence: the test's own words if it gave any. */
export function suffix(msg: string | undefined): string {
  return msg ? `: ${msg}` : ".";
}

/** Calls `fn` and answers, without throwing, what came of it. */
export function attempt<T>(
  fn: () => T,
): { done: true; value: T } | { done: false; error: unknown } {
  try {
    return { done: true, value: fn() };
  } catch (error) {
    return { done: false, error };
  }
}

/** Fails unless `error` is an Error, of the class and with the text in its message where these are given. */
export function assertIsError<E extends Error = Error>(
  error: unknown,
  ErrorClass?: AnyClass<E>,
  msgMatches?: string | RegExp,
  msg?: string,
): asserts error is E {
  if (!(error instanceof Error)) throw new AssertionError(`Expected an Error, got ${inspect(error)}${suffix(msg)}`);
  if (ErrorClass !== undefined && !(error instanceof ErrorClass)) {
    const problem = `Expected error to be an instance of ${ErrorClass.name}, got ${error.constructor.name}`;
    throw new AssertionError(`${problem}${suffix(msg)}\n${inspect(error)}`, {
      cause: error,
    });
  }
  if (msgMatches === undefined || msgMatches === "") return;
  const matches = typeof msgMatches === "string" ? error.message.includes(msgMatches) : msgMatches.test(error.message);
  if (!matches) {
    const problem = `Expected error message to include ${inspect(msgMatches)}, got ${inspect(error.message)}`;
    throw new AssertionError(`${problem}${suffix(msg)}`, { cause: error });
  }
}

/** Fails unless `fn` throws; with a class, unless that class with the text in its message. Returns what it threw. */
export function assertThrows(fn: () => unknown, msg?: string): unknown;
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  ErrorClass: AnyClass<E>,
  msgIncludes?: string,
  msg?: string,
): E;
export function assertThrows(
  fn: () => unknown,
  classOrMsg?: AnyClass<Error> | string,
  msgIncludes?: string,
  msg?: string,
): unknown {
  const note = typeof classOrMsg === "string" ? classOrMsg : msg;
  const outcome = attempt(fn);
  if (outcome.done) throw new AssertionError(`Expected function to throw${suffix(note)}`);
  if (typeof classOrMsg === "function") {
    assertIsError(outcome.error, classOrMsg, msgIncludes, note);
  }
  return outcome.error;
}

/**
 * Fails unless the promise that `fn` returns is rejected; with a class, unless by that class with the text in its
 * message. A `fn` that throws before it returns a promise fails too. Resolves to what it was rejected with.
 */
export function assertRejects(
  fn: () => PromiseLike<unknown>,
  msg?: string,
): Promise<unknown>;
export function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  ErrorClass: AnyClass<E>,
  msgIncludes?: string,
  msg?: string,
): Promise<E>;
export async function assertRejects(
  fn: () => PromiseLike<unknown>,
  classOrMsg?: AnyClass<Error> | string,
  msgIncludes?: string,
  msg?: string,
): Promise<unknown> {
  const note = typeof classOrMsg === "string" ? classOrMsg : msg;
  const started = attempt(fn);
  if (
    !started.done ||
    typeof (started.value as PromiseLike<unknown> | undefined)?.then !==
      "function"
  ) {
    throw new AssertionError(`Function throws when expected to reject${suffix(note)}`);
  }
  let rejection: { error: unknown } | undefined;
  try {
    await started.value;
  } catch (error) {
    rejection = { error };
  }
  if (rejection === undefined) throw new AssertionError(`Expected function to reject${suffix(note)}`);
  if (typeof classOrMsg === "function") {
    assertIsError(rejection.error, classOrMsg, msgIncludes, note);
  }
  return rejection.error;
}
