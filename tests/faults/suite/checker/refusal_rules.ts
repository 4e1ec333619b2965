/**
 * Every refusal that gives a reason is explained: it was true at some moment of the call. Refusals for transient
 * failures (busy, unavailable, too many) need no explanation.
 */
import type { Answer, Call, Request } from "../history.ts";
import { type Asked, type AskedFor, type CallOf, operationKey } from "./asked.ts";
import { mergedLines, spelled } from "./lines.ts";
import { stoodAt } from "./level_rules.ts";
import type { Detail, Explanations } from "./explanations.ts";
import { checkExceeds } from "./returnable.ts";
import { isOf } from "./rollback_rules.ts";
import type { OperationRow } from "./tables.ts";
import type { Violations } from "./violations.ts";

const INT32_MAX = 2 ** 31 - 1;
/** Codes that give a reason. */
const REASONED = new Set(["failed_precondition", "not_found", "already_exists", "out_of_range"]);

/** Says which refusals nothing explains. */
export function checkRefusals(calls: readonly Call[], explanations: Explanations, violations: Violations): void {
  const soldVersions = new Map<string, number>();
  for (const { kind, orderId, goodsId, version } of explanations.tables.movements) {
    if (kind === "sell") soldVersions.set(`${orderId} ${goodsId}`, version);
  }
  const recorded = new Map(explanations.tables.operations.map((row) => [operationKey(row), row]));
  for (const call of calls) {
    const { answer, request } = call;
    if (answer.outcome !== "refused" || !REASONED.has(answer.code)) continue;
    const why = problem(call, answer, explanations, soldVersions, recorded);
    if (why !== undefined) {
      const what = nameOf(request);
      violations.add(`${request.kind} of ${what} at ${call.invokedMs.toFixed(1)} ms: refused, ${why}`);
    }
  }
}

function nameOf(request: Request): string {
  if (request.kind === "set" || request.kind === "detail") return `goods ${request.goodsId}`;
  return request.kind === "rollback" && request.orderId === "" ? request.rollbackId : request.orderId;
}

/** Why the refusal can't be explained; undefined: it can. */
function problem(
  call: Call,
  { code, details }: Extract<Answer, { outcome: "refused" }>,
  explanations: Explanations,
  soldVersions: ReadonlyMap<string, number>,
  recorded: ReadonlyMap<string, OperationRow>,
): string | undefined {
  const { request } = call;
  const found = (details as readonly Detail[]).filter(({ type }) => type !== "google.rpc.RetryInfo");
  const [first] = found;
  const debug = first?.debug ?? {};
  switch (`${code} ${first?.type ?? ""}`) {
    case "failed_precondition inventory.v1.ShortStock":
      if (request.kind !== "sell") return "as short of stock";
      return shortProblem(call as CallOf<"sell">, found, explanations, soldVersions);
    case "failed_precondition inventory.v1.OrderStateConflict":
      if (request.kind !== "sell") return `because the order is ${debug.state}`;
      return stateProblem(call as CallOf<"sell">, String(debug.state), explanations);
    case "failed_precondition inventory.v1.ExceedsSold":
      if (request.kind !== "rollback") return "as more than was sold";
      return checkExceeds(call as CallOf<"rollback">, found, explanations);
    case "not_found google.rpc.ErrorInfo": {
      const ids = String((debug.metadata as Record<string, unknown> | undefined)?.goods_ids ?? "").split(",").map(
        Number,
      );
      return unknownProblem(call, ids, explanations);
    }
    case "already_exists google.rpc.ErrorInfo": {
      if (request.kind === "sell") {
        const order = explanations.orders.get(request.orderId);
        const differs = order !== undefined && order.state !== "barred" &&
          spelled(order.lines) !== spelled(request.lines);
        return differs ? undefined : "as used with other lines, which it was not";
      }
      if (request.kind !== "rollback") return "as used with other content";
      const row = recorded.get(`id ${request.rollbackId}`);
      const differs = row !== undefined && !isOf(row, request, explanations.orders.get(request.orderId));
      return differs ? undefined : "as used with other content, which it was not";
    }
    case "out_of_range google.rpc.ErrorInfo":
      return rangeProblem(call, explanations);
    default:
      return `with ${code} and details that explain nothing: ${JSON.stringify(found)}`;
  }
}

function shortProblem(
  call: CallOf<"sell">,
  details: readonly Detail[],
  { ledgers, times, orders, asked }: Explanations,
  soldVersions: ReadonlyMap<string, number>,
): string | undefined {
  const { request, invokedMs, answeredMs } = call;
  if (orders.get(request.orderId)?.state === "barred" && barred(asked, request.orderId).knownMs < invokedMs) {
    return "as short of stock, when the order was barred";
  }
  const short = new Map(details.map(({ debug }) => [Number(debug?.goodsId), debug]));
  for (const { goodsId, num } of mergedLines(request.lines)) {
    const ledger = ledgers.get(goodsId);
    const { low, high } = times.window(goodsId, invokedMs, answeredMs);
    const last = Math.min(high, (soldVersions.get(`${request.orderId} ${goodsId}`) ?? Infinity) - 1);
    const detail = short.get(goodsId);
    short.delete(goodsId);
    if (detail === undefined) {
      const enough = ledger?.available.slice(low, last + 1).some((available, i) => low + i > 0 && available >= num);
      if (enough !== true) return `but not for goods ${goodsId}, which had less than ${num} all the time`;
      continue;
    }
    const available = Number(detail.available ?? 0);
    if (Number(detail.asked) !== num || available >= num) {
      return `goods ${goodsId} as ${available} available for ${detail.asked}; asked for were ${num}`;
    }
    if (ledger === undefined || !stoodAt(ledger, available, low, last)) {
      return `goods ${goodsId} had ${available} available at none of versions ${low} to ${last}`;
    }
  }
  const [strange] = short.keys();
  return strange === undefined ? undefined : `for goods ${strange}, which it did not ask for`;
}

function stateProblem(call: CallOf<"sell">, state: string, { orders, asked }: Explanations): string | undefined {
  const { request, answeredMs } = call;
  const actual = orders.get(request.orderId)?.state;
  if (state !== `ORDER_STATE_${actual?.toUpperCase()}` || (actual !== "barred" && actual !== "rolled_back")) {
    return `because the order is ${state}; it is ${actual ?? "not there"}`;
  }
  if (barred(asked, request.orderId).bornMs <= (answeredMs ?? Infinity)) return undefined;
  return `because the order is ${state}, before anybody rolled it back`;
}

/** When an order can first have been barred or rolled back, and from when it was known that somebody did. */
function barred({ rollbacksOfOrder }: AskedFor, orderId: string): Pick<Asked<"rollback">, "bornMs" | "knownMs"> {
  const rollbacks = rollbacksOfOrder.get(orderId) ?? [];
  return {
    bornMs: Math.min(...rollbacks.map(({ bornMs }) => bornMs)),
    knownMs: Math.min(...rollbacks.map(({ knownMs }) => knownMs)),
  };
}

function unknownProblem(call: Call, goodsIds: readonly number[], { times }: Explanations): string | undefined {
  const { request, invokedMs, answeredMs } = call;
  if (request.kind === "set" || (request.kind === "rollback" && request.orderId !== "")) {
    return "because a goods is unknown";
  }
  const asked = request.kind === "detail" ? [request.goodsId] : request.lines.map(({ goodsId }) => goodsId);
  for (const goodsId of goodsIds) {
    if (!asked.includes(goodsId)) return `because goods ${goodsId} is unknown, which it did not ask for`;
    const { low } = times.window(goodsId, invokedMs, answeredMs);
    if (low > 0) return `because goods ${goodsId} is unknown, which was at version ${low} before`;
  }
  return undefined;
}

function rangeProblem(call: Call, { ledgers, times }: Explanations): string | undefined {
  const { request, invokedMs, answeredMs } = call;
  if (request.kind !== "rollback" && request.kind !== "set") return "because a quantity would be too large";
  const lines = request.kind === "set" ? [{ goodsId: request.goodsId, num: request.num }] : request.lines;
  const possible = lines.length === 0 || lines.some(({ goodsId, num }) => {
    const { low, high } = times.window(goodsId, invokedMs, answeredMs);
    return (ledgers.get(goodsId)?.movements.slice(Math.max(0, low - 1), high) ?? [])
      .some(({ onHandAfter, reservedAfter }) =>
        num + (request.kind === "set" ? reservedAfter : onHandAfter) > INT32_MAX
      );
  });
  return possible ? undefined : "because a quantity would be too large, which it would never have been";
}
