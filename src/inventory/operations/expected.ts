/** Places have to stand at the versions that the caller saw: of two who saw the same only one changes it. Pure. */
import type { Snapshot } from "../model.ts";
import { keyOf, type Place } from "../stock_key.ts";
import { type Decision, refused } from "./rules.ts";

/** The version that a place has to stand at; 0: it is new. */
export interface Expected extends Place {
  readonly version: number;
}

/** An operation that may have expectations. */
export interface Expecting {
  /** All to be met; absent: none. */
  readonly expected?: readonly Expected[];
}

/** The refusal of an operation that expects what is not so; undefined: all of it is. */
export function unexpected(snapshot: Snapshot, { expected }: Expecting): Decision | undefined {
  for (const { version, ...place } of expected ?? []) {
    const level = snapshot.levels.get(keyOf(place));
    if ((level?.version ?? 0) !== version) return refused({ reason: "not_as_expected", place, level });
  }
  return undefined;
}
