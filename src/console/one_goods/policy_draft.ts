/** A policy as it is typed, with the bounds that the server has. Pure. */
import { create } from "@bufbuild/protobuf";
import { durationFromMs, durationMs } from "@bufbuild/protobuf/wkt";
import { type Policy, PolicySchema } from "../../gen/inventory/v1/stock_pb.ts";
import {
  durationText,
  HOLD_TTL_MS_MAX,
  isProblem,
  type Read,
  readDuration,
  readWhole,
  valueOf,
} from "../parts/checks.ts";
import { INT32_MAX } from "../parts/written_numbers.ts";

/** Units of safety stock, and of backorders. */
const WITHHELD_MAX = 1_000_000_000;
const WINDOW_MS = { min: 1000, max: 3660 * 24 * 3_600_000 };

/** Fields of a policy. */
export const POLICY_FIELDS = [
  "safetyStock",
  "backorderMax",
  "orderNumMax",
  "buyerNumMax",
  "buyerWindow",
  "lowStockAt",
  "lowStockUntil",
  "holdTtl",
] as const;
export type PolicyField = typeof POLICY_FIELDS[number];

/** As typed. */
export type PolicyDraft = Readonly<Record<PolicyField, string>>;

/** Those that are times, and empty where there is none. */
export const TIMES: ReadonlySet<PolicyField> = new Set(["buyerWindow", "holdTtl"]);

/** The policy as it would be typed. */
export function draftOf(policy: Policy | undefined): PolicyDraft {
  const { buyerWindow, holdTtl, ...nums } = policy ?? create(PolicySchema);
  return {
    safetyStock: `${nums.safetyStock}`,
    backorderMax: `${nums.backorderMax}`,
    orderNumMax: `${nums.orderNumMax}`,
    buyerNumMax: `${nums.buyerNumMax}`,
    buyerWindow: buyerWindow === undefined ? "" : durationText(durationMs(buyerWindow)),
    lowStockAt: `${nums.lowStockAt}`,
    lowStockUntil: `${nums.lowStockUntil}`,
    holdTtl: holdTtl === undefined ? "" : durationText(durationMs(holdTtl)),
  };
}

/** What each field says. A time that is left empty is 0: none. */
export function readDraft(draft: PolicyDraft): Readonly<Record<PolicyField, Read<number>>> {
  const units = (text: string, max = INT32_MAX) => readWhole(text, { min: 0, max });
  const time = (text: string, bounds: { min: number; max: number }): Read<number> =>
    text.trim() === "" ? { value: 0 } : readDuration(text, bounds);
  const lowAt = units(draft.lowStockAt);
  const lowUntil = units(draft.lowStockUntil);
  const isNeverLow = valueOf(lowAt) === 0 && valueOf(lowUntil) === 0;
  const isAbove = isNeverLow || isProblem(lowAt) || isProblem(lowUntil) || lowUntil.value > lowAt.value;
  const window = time(draft.buyerWindow, WINDOW_MS);
  const hasWindow = (valueOf(window) ?? 0) > 0;
  const buyerNumMax = units(draft.buyerNumMax);
  return {
    safetyStock: units(draft.safetyStock, WITHHELD_MAX),
    backorderMax: units(draft.backorderMax, WITHHELD_MAX),
    orderNumMax: units(draft.orderNumMax),
    // A time within which nothing is limited is none.
    buyerNumMax: hasWindow && valueOf(buyerNumMax) === 0
      ? { problem: "out_of_bounds", min: 1, max: INT32_MAX }
      : buyerNumMax,
    buyerWindow: window,
    lowStockAt: lowAt,
    lowStockUntil: isAbove ? lowUntil : { problem: "not_above" },
    holdTtl: time(draft.holdTtl, { min: 1, max: HOLD_TTL_MS_MAX }),
  };
}

/** The policy; undefined where a field is wrong. */
export function policyOf(draft: PolicyDraft): Policy | undefined {
  const read = readDraft(draft);
  if (POLICY_FIELDS.some((field) => isProblem(read[field]))) return undefined;
  const of = (field: PolicyField) => valueOf(read[field]) ?? 0;
  const { buyerWindow, holdTtl } = { buyerWindow: of("buyerWindow"), holdTtl: of("holdTtl") };
  return create(PolicySchema, {
    ...{ safetyStock: of("safetyStock"), backorderMax: of("backorderMax"), orderNumMax: of("orderNumMax") },
    ...{ buyerNumMax: of("buyerNumMax"), lowStockAt: of("lowStockAt"), lowStockUntil: of("lowStockUntil") },
    ...(buyerWindow === 0 ? {} : { buyerWindow: durationFromMs(buyerWindow) }),
    ...(holdTtl === 0 ? {} : { holdTtl: durationFromMs(holdTtl) }),
  });
}
