/**
 * Deep equality of the local stand-in for jsr:@std/assert (see mod.ts for why it exists).
 *
 * node:util's isDeepStrictEqual is the base for everything with hidden state (dates, typed arrays, errors);
 * this file only loosens it where the real package is looser: 0 equals -0, and an object without a
 * prototype equals a plain one. It knows nothing of messages or of failing.
 */
import { isDeepStrictEqual } from "node:util";

/** Whether both values are deeply equal as @std/assert sees it. A property that is undefined is not a missing one. */
export function equal(a: unknown, b: unknown): boolean {
  return compare(a, b, new Map());
}

/** `seen` has the pairs under comparison, left to right, so that a cycle ends instead of recursing for ever. */
function compare(a: unknown, b: unknown, seen: Map<object, object>): boolean {
  if (a === b || Object.is(a, b)) return true;
  if (!isObject(a) || !isObject(b)) return false;
  if (!sameConstructor(a, b)) return false;
  if (seen.get(a) === b) return true;
  seen.set(a, b);
  if (a instanceof URL && b instanceof URL) return a.href === b.href;
  if (a instanceof Map && b instanceof Map) {
    return a.size === b.size && matchAll([...a], [...b], seen);
  }
  if (a instanceof Set && b instanceof Set) {
    return a.size === b.size && matchAll([...a], [...b], seen);
  }
  const tag = Object.prototype.toString.call(a);
  if (tag !== "[object Object]" && tag !== "[object Array]") {
    return isDeepStrictEqual(a, b);
  }
  if (Array.isArray(a) && Array.isArray(b) && a.length !== b.length) {
    return false;
  }
  return sameProperties(a, b, seen);
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function sameConstructor(a: object, b: object): boolean {
  return (a.constructor ?? Object) === (b.constructor ?? Object);
}

/** Maps and sets have no order for equality: each item on the left takes one equal item away on the right. */
function matchAll(left: unknown[], right: unknown[], seen: Map<object, object>): boolean {
  const rest = [...right];
  return left.every((item) => {
    // A trial that fails must not leave its pairs behind as if they had been found equal.
    const at = rest.findIndex((candidate) => compare(item, candidate, new Map(seen)));
    if (at >= 0) rest.splice(at, 1);
    return at >= 0;
  });
}

function sameProperties(a: object, b: object, seen: Map<object, object>): boolean {
  const keys = enumerableKeys(a);
  if (keys.length !== enumerableKeys(b).length) return false;
  return keys.every((key) =>
    Object.prototype.propertyIsEnumerable.call(b, key) &&
    compare(Reflect.get(a, key), Reflect.get(b, key), seen)
  );
}

function enumerableKeys(value: object): (string | symbol)[] {
  return Reflect.ownKeys(value).filter((key) => Object.prototype.propertyIsEnumerable.call(value, key));
}
