/**
 * What an operation would do to a place, for people to look at before they do it. The server alone decides; what is
 * here only says beforehand what it would say. Pure.
 */
import { INT32_MAX } from "../parts/written_numbers.ts";

/** Where a place stands, with what its policy withholds and allows. */
export interface Stand {
  readonly onHand: number;
  readonly reserved: number;
  readonly safetyStock: number;
  readonly backorderMax: number;
  readonly version: number;
  readonly deleted: boolean;
}

/** Of a place that nobody has ever stocked. */
export const NOTHING: Stand = {
  ...{ onHand: 0, reserved: 0, safetyStock: 0, backorderMax: 0, version: 0 },
  deleted: false,
};

/** Available to sell, as the server counts it; below 0 where it is backordered. */
export function availableOf({ onHand, reserved, safetyStock }: Stand): number {
  return onHand - reserved - safetyStock;
}

/** How many a sale may take: what is available, and what may be backordered. */
export function sellableOf(stand: Stand): number {
  return Math.max(0, availableOf(stand) + stand.backorderMax);
}

/** Why the server would refuse it. */
export type Doubt =
  /** So many could go at most. */
  | { readonly doubt: "too_many"; readonly max: number }
  | { readonly doubt: "too_large" }
  | { readonly doubt: "below_floor"; readonly available: number }
  | { readonly doubt: "has_holds"; readonly reserved: number }
  /** It is so already. */
  | { readonly doubt: "no_change" };

/** Before and after, or what stands in the way; `after` is there in any case. */
export interface Preview {
  readonly before: Stand;
  readonly after: Stand;
  readonly doubt?: Doubt;
}

/** The quantity becomes `num`: of what is available, or of what is on hand. */
export function previewSet(before: Stand, num: number, basis: "available" | "on_hand"): Preview {
  const onHand = num + (basis === "on_hand" ? 0 : before.reserved + before.safetyStock);
  const after = { ...before, onHand, version: before.version + 1, deleted: false };
  if (onHand > INT32_MAX) return { before, after, doubt: { doubt: "too_large" } };
  if (onHand === before.onHand && !before.deleted && before.version > 0) return unchanged(before);
  return { before, after, ...tooMany(before.onHand - onHand, spareOf(before)) };
}

/** So many come, or go where `delta` is below 0. */
export function previewAdjust(before: Stand, delta: number): Preview {
  const after = { ...before, onHand: before.onHand + delta, version: before.version + 1 };
  if (after.onHand > INT32_MAX) return { before, after, doubt: { doubt: "too_large" } };
  return { before, after, ...tooMany(-delta, spareOf(before)) };
}

/** So many go from one location to another. */
export function previewTransfer(from: Stand, to: Stand, num: number): { readonly from: Preview; readonly to: Preview } {
  const left = { ...from, onHand: from.onHand - num, version: from.version + 1 };
  const reached = { ...to, onHand: to.onHand + num, version: to.version + 1 };
  const overflow: Doubt = { doubt: "too_large" };
  return {
    from: { before: from, after: left, ...tooMany(num, Math.max(0, from.onHand - from.reserved)) },
    to: { before: to, after: reached, ...(reached.onHand > INT32_MAX ? { doubt: overflow } : {}) },
  };
}

/** Other limits; no unit moves. */
export function previewPolicy(before: Stand, policy: Pick<Stand, "safetyStock" | "backorderMax">): Preview {
  const after = { ...before, ...policy, version: before.version + 1 };
  const free = before.onHand - before.reserved;
  if (free < -policy.backorderMax) return { before, after, doubt: { doubt: "below_floor", available: free } };
  return { before, after };
}

/** It is sold no more; with `releasesHolds` those that have units of it are released first. */
export function previewDelete(before: Stand, releasesHolds: boolean): Preview {
  if (before.deleted) return unchanged(before);
  const after = {
    ...before,
    reserved: releasesHolds ? 0 : before.reserved,
    version: before.version + 1,
    deleted: true,
  };
  if (before.reserved > 0 && !releasesHolds) {
    return { before, after, doubt: { doubt: "has_holds", reserved: before.reserved } };
  }
  return { before, after };
}

/** It is sold again, with what it has. */
export function previewRestore(before: Stand): Preview {
  if (!before.deleted) return unchanged(before);
  return { before, after: { ...before, version: before.version + 1, deleted: false } };
}

function unchanged(before: Stand): Preview {
  return { before, after: before, doubt: { doubt: "no_change" } };
}

/** How many may go without leaving holds uncovered: backorders are allowed for, and safety stock is not spared. */
function spareOf({ onHand, reserved, backorderMax }: Stand): number {
  return onHand - reserved + backorderMax;
}

function tooMany(leaving: number, max: number): { readonly doubt?: Doubt } {
  return leaving > 0 && leaving > max ? { doubt: { doubt: "too_many", max } } : {};
}
