/** Policies as requests and answers have them, and the bounds of their numbers. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { type Duration, durationFromMs } from "@bufbuild/protobuf/wkt";
import type { Policy as PolicyMessage, PolicySchema, SetPolicyRequest } from "../../gen/inventory/v1/stock_pb.ts";
import type { Policy } from "../../inventory/model.ts";
import { NO_POLICY, type PolicyOperation } from "../../inventory/operations/policy.ts";
import { HOLD_TTL_MS_MAX } from "../../inventory/operations/reserve.ts";
import { Violations } from "../../rpc/errors.ts";
import { readOperated } from "../attribution.ts";
import type { Asked } from "../ending.ts";
import { type SkuIds, skuNames } from "../skus.ts";
import { readExpectation, readPlace, type StockRules } from "./decode.ts";

/** Units of safety stock, and of backorders: half an int32, so that what is available less both still is one. */
const WITHHELD_MAX = 1_000_000_000;
/** The shortest and the longest time within which a buyer's units count, in ms. */
const BUYER_WINDOW_MS_MIN = 1000;
const BUYER_WINDOW_MS_MAX = 3660 * 24 * 3_600_000;
const NANOS_PER_MS = 1_000_000;

/** @param actor who asks @throws ConnectError INVALID_ARGUMENT */
export function decodePolicy(
  request: SetPolicyRequest,
  { newId, reasons }: StockRules,
  actor: string | undefined,
  skus: SkuIds | undefined,
): Asked<PolicyOperation> {
  const violations = new Violations();
  const place = readPlace(violations, request, skus);
  const policy = request.policy === undefined ? NO_POLICY : readPolicy(violations, request.policy);
  const expecting = readExpectation(violations, request.expectedVersion, place);
  const operated = readOperated(violations, request, actor, reasons);
  violations.check();
  const operation: PolicyOperation = {
    kind: "policy",
    operationId: newId(),
    ...place,
    policy,
    ...expecting,
    ...operated,
  };
  return { operation, skus: skuNames([request], skus) };
}

/** A policy as a message. */
export function policyMessage(policy: Policy = NO_POLICY): MessageInitShape<typeof PolicySchema> {
  const { buyerWindowMs, holdTtlMs, ...numbers } = policy;
  return {
    ...numbers,
    ...(buyerWindowMs === undefined ? {} : { buyerWindow: durationFromMs(buyerWindowMs) }),
    ...(holdTtlMs === undefined ? {} : { holdTtl: durationFromMs(holdTtlMs) }),
  };
}

function readPolicy(violations: Violations, message: PolicyMessage): Policy {
  const { safetyStock, backorderMax, orderNumMax, buyerNumMax, lowStockAt, lowStockUntil } = message;
  checkWithheld(violations, "policy.safety_stock", safetyStock);
  checkWithheld(violations, "policy.backorder_max", backorderMax);
  checkNotNegative(violations, "policy.order_num_max", orderNumMax);
  checkNotNegative(violations, "policy.buyer_num_max", buyerNumMax);
  checkNotNegative(violations, "policy.low_stock_at", lowStockAt);
  const buyerWindowMs = readMs(violations, "policy.buyer_window", message.buyerWindow, {
    min: BUYER_WINDOW_MS_MIN,
    max: BUYER_WINDOW_MS_MAX,
  });
  if (buyerWindowMs !== undefined && buyerNumMax === 0) {
    violations.add("policy.buyer_window", "expected none without buyer_num_max");
  }
  const isNeverLow = lowStockAt === 0 && lowStockUntil === 0;
  if (!isNeverLow && lowStockUntil <= lowStockAt) {
    violations.add("policy.low_stock_until", `expected a quantity greater than low_stock_at, got ${lowStockUntil}`);
  }
  const holdTtlMs = readMs(violations, "policy.hold_ttl", message.holdTtl, { min: 1, max: HOLD_TTL_MS_MAX });
  return {
    safetyStock,
    backorderMax,
    ...(orderNumMax === 0 ? {} : { orderNumMax }),
    ...(buyerNumMax === 0 ? {} : { buyerNumMax }),
    ...(buyerWindowMs === undefined ? {} : { buyerWindowMs }),
    ...(isNeverLow ? {} : { lowStockAt, lowStockUntil }),
    ...(holdTtlMs === undefined ? {} : { holdTtlMs }),
  };
}

function checkWithheld(violations: Violations, field: string, num: number): void {
  if (num < 0 || num > WITHHELD_MAX) violations.add(field, `expected 0 to ${WITHHELD_MAX}, got ${num}`);
}

function checkNotNegative(violations: Violations, field: string, num: number): void {
  if (num < 0) violations.add(field, `expected a quantity of 0 or more, got ${num}`);
}

/** A duration in ms; undefined where it is absent. */
function readMs(
  violations: Violations,
  field: string,
  duration: Duration | undefined,
  { min, max }: { readonly min: number; readonly max: number },
): number | undefined {
  if (duration === undefined) return undefined;
  const { seconds, nanos } = duration;
  const ms = Number(seconds) * 1000 + nanos / NANOS_PER_MS;
  if (!Number.isInteger(ms)) {
    violations.add(field, `expected whole milliseconds, got ${nanos} nanoseconds beside ${seconds} s`);
  } else if (ms < min || ms > max) {
    violations.add(field, `expected ${min / 1000} to ${max / 1000} s, got ${ms / 1000} s`);
  }
  return ms;
}
