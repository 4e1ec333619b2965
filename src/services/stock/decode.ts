/**
 * Requests of StockService as operations. Every rule that one breaks is named at once.
 */
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import type {
  AdjustInvRequest,
  Adjustment,
  CountInvRequest,
  DeleteInvRequest,
  RestoreInvRequest,
  TransferInvRequest,
} from "../../gen/inventory/v1/stock_pb.ts";
import { mergeLines, placeText } from "../../inventory/lines.ts";
import { INT32_MAX, type Line } from "../../inventory/model.ts";
import type { AdjustOperation } from "../../inventory/operations/adjust.ts";
import type { CountOperation } from "../../inventory/operations/count.ts";
import type { Expected, Expecting } from "../../inventory/operations/expected.ts";
import type { DeleteOperation, RestoreOperation } from "../../inventory/operations/delete.ts";
import type { Operation } from "../../inventory/operations/operation.ts";
import type { TransferOperation } from "../../inventory/operations/transfer.ts";
import { keyOf, type Place } from "../../inventory/stock_key.ts";
import { Violations } from "../../rpc/errors.ts";
import { readOperated } from "../attribution.ts";
import type { Asked } from "../ending.ts";
import { ID_REQUIRED, type RequestRules } from "../inventory/decode.ts";
import { type Named, readGoodsId, type SkuIds, skuNames } from "../skus.ts";
import { checkLocationId, readId, readLines, readVersion } from "../validation.ts";

/** How far back a count may lie, in days. */
const COUNT_DAYS_MAX = 366;
/** How far ahead of this clock a count may lie, in ms: clocks of callers differ. It is then taken for one of now. */
const COUNT_AHEAD_MS_MAX = 60_000;
const DAY_MS = 24 * 3_600_000;
const NANOS_PER_MS = 1_000_000;

/** What decoding needs to know beside what all services do. */
export interface StockRules extends RequestRules {
  /** The time, in ms since 1970. */
  readonly nowMs: () => number;
}

/** An operation with an id of its own, and that id as its answer names it: none that was made for a dry run. */
export interface AskedOperation<O extends Operation = Operation> extends Asked<O> {
  readonly named: { readonly operationId: string };
}

/** @param actor who asks @throws ConnectError INVALID_ARGUMENT */
export function decodeAdjust(
  request: AdjustInvRequest,
  rules: StockRules,
  actor: string | undefined,
  skus: SkuIds | undefined,
): AskedOperation<AdjustOperation> {
  const violations = new Violations();
  const lines = readAdjustments(violations, request.lines, rules.orderLinesMax, skus);
  const expecting = readExpectations(violations, request.lines, skus);
  const { operationId, ids, named } = readOperationId(violations, request, rules);
  const operated = readOperated(violations, request, actor, rules.reasons);
  violations.check();
  const names = skuNames(request.lines, skus);
  const operation: AdjustOperation = { kind: "adjust", operationId, lines, ...expecting, ...operated };
  return { operation, ids, named, skus: names };
}

/** @param actor who asks @throws ConnectError INVALID_ARGUMENT */
export function decodeCount(
  request: CountInvRequest,
  rules: StockRules,
  actor: string | undefined,
  skus: SkuIds | undefined,
): AskedOperation<CountOperation> {
  const violations = new Violations();
  const place = readPlace(violations, request, skus);
  const { num } = request;
  if (num < 0) violations.add("num", `expected a quantity of 0 or more, got ${num}`);
  const occurredAtMs = readPast(violations, "occurred_at", request.occurredAt, rules.nowMs());
  const { operationId, ids, named } = readOperationId(violations, request, rules);
  const operated = readOperated(violations, request, actor, rules.reasons);
  violations.check();
  const time = occurredAtMs === undefined ? {} : { occurredAtMs };
  const operation: CountOperation = { kind: "count", operationId, ...place, num, ...time, ...operated };
  return { operation, ids, named, skus: skuNames([request], skus) };
}

/** @param actor who asks @throws ConnectError INVALID_ARGUMENT */
export function decodeTransfer(
  request: TransferInvRequest,
  rules: StockRules,
  actor: string | undefined,
  skus: SkuIds | undefined,
): AskedOperation<TransferOperation> {
  const { fromLocationId, toLocationId } = request;
  const violations = new Violations();
  checkLocationId(violations, "from_location_id", fromLocationId);
  checkLocationId(violations, "to_location_id", toLocationId);
  if (toLocationId === fromLocationId) {
    violations.add("to_location_id", `expected another location than from_location_id, got ${toLocationId}`);
  }
  // That of the lines is looked at above, and once.
  const locationId = Math.max(0, fromLocationId);
  const moved = request.lines.map(({ goodsId, sku, num }) => ({ goodsId, sku, num, locationId }));
  const lines = readLines(violations, "lines", moved, { max: rules.orderLinesMax, required: true, skus });
  const leaving = request.lines.map(({ goodsId, sku, expectedVersion }) => ({
    goodsId,
    sku,
    locationId,
    expectedVersion,
  }));
  const expecting = readExpectations(violations, leaving, skus);
  const { operationId, ids, named } = readOperationId(violations, request, rules);
  const operated = readOperated(violations, request, actor, rules.reasons);
  violations.check();
  const operation: TransferOperation = {
    kind: "transfer",
    operationId,
    toLocationId,
    lines,
    ...expecting,
    ...operated,
  };
  return { operation, ids, named, skus: skuNames(request.lines, skus) };
}

/** @param actor who asks @throws ConnectError INVALID_ARGUMENT */
export function decodeDelete(
  request: DeleteInvRequest,
  { newId, reasons }: StockRules,
  actor: string | undefined,
  skus: SkuIds | undefined,
): Asked<DeleteOperation> {
  const { names, ...place } = readOperatedPlace(request, reasons, actor, skus);
  return { operation: { kind: "delete", operationId: newId(), ...place }, skus: names };
}

/** @param actor who asks @throws ConnectError INVALID_ARGUMENT */
export function decodeRestore(
  request: RestoreInvRequest,
  { newId, reasons }: StockRules,
  actor: string | undefined,
  skus: SkuIds | undefined,
): Asked<RestoreOperation> {
  const { names, ...place } = readOperatedPlace(request, reasons, actor, skus);
  return { operation: { kind: "restore", operationId: newId(), ...place }, skus: names };
}

/** A goods at a location. */
export function readPlace(
  violations: Violations,
  request: Named & { readonly locationId: number },
  skus: SkuIds | undefined,
): Place {
  const { locationId } = request;
  const goodsId = readGoodsId(violations, "", request, skus);
  checkLocationId(violations, "location_id", locationId);
  return { goodsId, locationId };
}

/** What is expected of the one place of a request. */
export function readExpectation(violations: Violations, expectedVersion: bigint | undefined, place: Place): Expecting {
  if (expectedVersion === undefined) return {};
  return { expected: [{ ...place, version: readVersion(violations, "expected_version", expectedVersion) }] };
}

/** What lines expect of their places, one by one: two lines of one place that differ can't both be right. */
function readExpectations(
  violations: Violations,
  lines: readonly (Named & { readonly locationId: number; readonly expectedVersion?: bigint | undefined })[],
  skus: SkuIds | undefined,
): Expecting {
  const expected = lines.flatMap((line, i): Expected[] => {
    if (line.expectedVersion === undefined) return [];
    const version = readVersion(violations, `lines[${i}].expected_version`, line.expectedVersion);
    // What is wrong with a goods is said where its line is read.
    const goodsId = readGoodsId(new Violations(), "", line, skus);
    return [{ goodsId, locationId: line.locationId, version }];
  });
  return expected.length === 0 ? {} : { expected };
}

function readOperatedPlace(
  request: DeleteInvRequest | RestoreInvRequest,
  reasons: StockRules["reasons"],
  actor: string | undefined,
  skus: SkuIds | undefined,
) {
  const violations = new Violations();
  const place = readPlace(violations, request, skus);
  const expecting = readExpectation(violations, request.expectedVersion, place);
  const operated = readOperated(violations, request, actor, reasons);
  violations.check();
  return { ...place, ...expecting, ...operated, names: skuNames([request], skus) };
}

/** Merged and sorted by place; a `num` is above or below 0. */
function readAdjustments(
  violations: Violations,
  adjustments: readonly Adjustment[],
  max: number,
  skus: SkuIds | undefined,
): Line[] {
  if (adjustments.length === 0) violations.add("lines", "expected at least one line, got none");
  if (adjustments.length > max) {
    violations.add("lines", `expected at most ${max} lines, got ${adjustments.length}`);
    return [];
  }
  const lines = adjustments.map((adjustment, i): Line => {
    const { locationId, delta } = adjustment;
    const goodsId = readGoodsId(violations, `lines[${i}].`, adjustment, skus);
    checkLocationId(violations, `lines[${i}].location_id`, locationId);
    if (delta === 0) violations.add(`lines[${i}].delta`, "expected a number above or below 0, got 0");
    return { goodsId, locationId, num: delta };
  });
  // Of places that have no line of 0, which was said above.
  const zeros = new Set(lines.filter(({ num }) => num === 0).map(keyOf));
  const merged = mergeLines(lines);
  for (const line of merged) {
    if (line.goodsId <= 0) continue;
    const expected = line.num === 0 ? "do not add up to 0" : `add up to ${-INT32_MAX} to ${INT32_MAX}`;
    if ((line.num === 0 && !zeros.has(keyOf(line))) || Math.abs(line.num) > INT32_MAX) {
      violations.add("lines", `expected lines of one goods that ${expected}, ${placeText(line)} has ${line.num}`);
    }
  }
  return merged;
}

function readOperationId(
  violations: Violations,
  request: { readonly operationId: string; readonly dryRun: boolean },
  { orderIdRequired, newId }: StockRules,
) {
  if (orderIdRequired && request.operationId === "") violations.add("operation_id", ID_REQUIRED);
  const operationId = readId(violations, "operation_id", request.operationId) ?? newId();
  const named = { operationId: request.dryRun ? request.operationId : operationId };
  return { operationId, ids: { operation_id: operationId }, named };
}

/** In ms since 1970; undefined where the field is absent. */
function readPast(violations: Violations, field: string, time: Timestamp | undefined, nowMs: number) {
  if (time === undefined) return undefined;
  const ms = Number(time.seconds) * 1000 + Math.floor(time.nanos / NANOS_PER_MS);
  if (ms < nowMs - COUNT_DAYS_MAX * DAY_MS || ms > nowMs + COUNT_AHEAD_MS_MAX) {
    const got = Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : `${time.seconds} s`;
    violations.add(field, `expected a time of the last ${COUNT_DAYS_MAX} days, got ${got}`);
  }
  return ms;
}
