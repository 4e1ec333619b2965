/**
 * The local stand-in for jsr:@std/assert, over node:assert/strict, so that the tests also run where the JSR
 * registry cannot be reached. Same names, types and meaning as the real package, and only the part of it that
 * the tests use: with `jsr:@std/assert@1.0.19` in the imports of deno.json they run on the real one, and no test
 * changes.
 */
import { deepStrictEqual } from "node:assert/strict";
import { inspect } from "node:util";
import { equal } from "./equal.ts";
import { type AnyClass, AssertionError, attempt, suffix } from "./thrown.ts";

export { equal } from "./equal.ts";
export { assertRejects, assertThrows } from "./thrown.ts";

/** Fails unless `expr` is truthy. */
export function assert(expr: unknown, msg = ""): asserts expr {
  if (!expr) throw new AssertionError(msg);
}

/** Fails unless `expr` is falsy. */
export function assertFalse(expr: unknown, msg = ""): asserts expr is false | 0 | 0n | "" | null | undefined {
  if (expr) throw new AssertionError(msg);
}

/** Fails unless both are deeply equal, and shows the difference line by line. */
export function assertEquals<T>(actual: T, expected: T, msg?: string): void {
  if (!equal(actual, expected)) {
    throw new AssertionError(`Values are not equal${suffix(msg)}\n${diff(actual, expected)}`);
  }
}

/** Fails if both are deeply equal. */
export function assertNotEquals<T>(actual: T, expected: T, msg?: string): void {
  if (equal(actual, expected)) {
    throw new AssertionError(`Expected values not to be equal${suffix(msg)}\n${inspect(actual)}`);
  }
}

/** Fails if `actual` is null or undefined. */
export function assertExists<T>(actual: T, msg?: string): asserts actual is NonNullable<T> {
  if (actual === undefined || actual === null) {
    throw new AssertionError(`Expected a value, got ${actual}${suffix(msg)}`);
  }
}

/** Fails unless `actual` matches the pattern. */
export function assertMatch(actual: string, expected: RegExp, msg?: string): void {
  if (!actual.match(expected)) {
    throw new AssertionError(`Expected ${inspect(actual)} to match ${expected}${suffix(msg)}`);
  }
}

/** Fails unless `actual` contains `expected`. */
export function assertStringIncludes(actual: string, expected: string, msg?: string): void {
  if (!actual.includes(expected)) {
    throw new AssertionError(`Expected ${inspect(actual)} to contain ${inspect(expected)}${suffix(msg)}`);
  }
}

/** Fails unless `actual` is an instance of the class. */
export function assertInstanceOf<T>(actual: unknown, expectedType: AnyClass<T>, msg = ""): asserts actual is T {
  if (!(actual instanceof expectedType)) {
    throw new AssertionError(`Expected an instance of ${expectedType.name}, got ${inspect(actual)}${suffix(msg)}`);
  }
}

/** Fails unless `actual > expected`. */
export function assertGreater<T>(actual: T, expected: T, msg?: string): void {
  if (!(actual > expected)) throw new AssertionError(order(actual, ">", expected, msg));
}

/** Fails unless `actual >= expected`. */
export function assertGreaterOrEqual<T>(actual: T, expected: T, msg?: string): void {
  if (!(actual >= expected)) throw new AssertionError(order(actual, ">=", expected, msg));
}

/** Fails unless `actual < expected`. */
export function assertLess<T>(actual: T, expected: T, msg?: string): void {
  if (!(actual < expected)) throw new AssertionError(order(actual, "<", expected, msg));
}

/** Fails unless `actual <= expected`. */
export function assertLessOrEqual<T>(actual: T, expected: T, msg?: string): void {
  if (!(actual <= expected)) throw new AssertionError(order(actual, "<=", expected, msg));
}

function order(actual: unknown, sign: string, expected: unknown, msg: string | undefined): string {
  return `Expect ${inspect(actual)} ${sign} ${inspect(expected)}${suffix(msg)}`;
}

/** node's own diff; both values in full where node finds no difference (two objects that only look the same). */
function diff(actual: unknown, expected: unknown): string {
  const shown = attempt(() => deepStrictEqual(actual, expected));
  if (shown.done) {
    return `actual:   ${inspect(actual)}\nexpected: ${inspect(expected)}`;
  }
  return shown.error instanceof Error ? shown.error.message : String(shown.error);
}
