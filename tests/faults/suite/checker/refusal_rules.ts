/**
 * Every refusal that gives a reason is explained: it was true at some moment of the call. Refusals for transient
 * failures (busy, unavailable, too many) need no explanation.
 */
import type { Answer, Call, Request } from "../history.ts";
import { type CallOf, operationKey } from "./asked.ts";
import { availableIn, spanOf } from "./availability.ts";
import { limitProblem } from "./cap_rules.ts";
import type { Detail, Explanations } from "./explanations.ts";
import { spelled } from "./lines.ts";
import { type PlaceKey, placeKey } from "./places.ts";
import { checkExceeds } from "./returnable.ts";
import { isOf } from "./rollback_rules.ts";
import { barred, shortProblem, type Taking } from "./short_rules.ts";
import { type OperationRow, wasHold } from "./tables.ts";
import type { Violations } from "./violations.ts";

const INT32_MAX = 2 ** 31 - 1;
/** Codes that give a reason. */
const REASONED = new Set(["failed_precondition", "not_found", "already_exists", "out_of_range"]);

/** Says which refusals nothing explains. */
export function checkRefusals(calls: readonly Call[], explanations: Explanations, violations: Violations): void {
  const soldVersions = new Map<string, number>();
  for (const movement of explanations.tables.movements) {
    const { kind, orderId, version, onHandDelta } = movement;
    const takes = kind === "sell" || (kind === "confirm" && onHandDelta < 0);
    if (takes) soldVersions.set(`${orderId} ${placeKey(movement)}`, version);
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
  if ("goodsId" in request) return `goods ${request.goodsId}`;
  if ("operationId" in request) return request.operationId;
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
    case "failed_precondition inventory.v1.ShortStock": {
      if (request.kind === "count") return countProblem(call as CallOf<"count">, debug, explanations);
      const taking = takingOf(request, explanations);
      if (taking === undefined || request.kind === "confirm") return "as short of stock";
      return shortProblem(call, taking, found.map(({ debug }) => debug), explanations, soldVersions);
    }
    case "failed_precondition inventory.v1.Shortfall": {
      const taking = takingOf(request, explanations);
      if (taking === undefined || request.kind !== "confirm") return "as a hold whose stock is gone";
      const lines = (debug.lines ?? []) as readonly Detail["debug"][];
      return shortProblem(call, taking, lines, explanations, soldVersions);
    }
    case "failed_precondition inventory.v1.OrderStateConflict":
      return stateProblem(call, String(debug.state), explanations);
    case "failed_precondition inventory.v1.LimitExceeded":
      return limitProblem(call, found, explanations);
    case "failed_precondition inventory.v1.ExceedsHeld":
      return request.kind === "confirm" ? undefined : "as more than is held";
    case "failed_precondition google.rpc.ErrorInfo":
      return request.kind === "delete" && debug.reason === "HAS_HOLDS" ? undefined : `because of ${debug.reason}`;
    case "failed_precondition inventory.v1.ExceedsSold":
      if (request.kind !== "rollback") return "as more than was sold";
      return checkExceeds(call as CallOf<"rollback">, found, explanations);
    case "not_found google.rpc.ErrorInfo": {
      const metadata = (debug.metadata ?? {}) as Readonly<Record<string, unknown>>;
      if (metadata.order_id !== undefined) return unknownOrderProblem(call, explanations);
      const places = String(metadata.goods_ids ?? "").split(",").map((text) =>
        text.includes("@") ? text as PlaceKey : Number(text)
      );
      return unknownProblem(call, places, explanations);
    }
    case "already_exists google.rpc.ErrorInfo": {
      if (request.kind === "sell") {
        const order = explanations.orders.get(request.orderId);
        const differs = order !== undefined && order.state !== "barred" &&
          spelled(order.lines) !== spelled(request.lines);
        return differs ? undefined : "as used with other lines, which it was not";
      }
      if (request.kind === "confirm") {
        const sold = explanations.orders.get(request.orderId)?.lines ?? [];
        const differs = spelled(sold) !== spelled(takingOf(request, explanations)?.lines ?? []);
        return differs ? undefined : "as confirmed of other lines, which it was not";
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

/** A count that would leave holds without their units; how much that is was not asked for. */
function countProblem(call: CallOf<"count">, debug: Detail["debug"], explanations: Explanations): string | undefined {
  const { request } = call;
  const place = placeKey(request);
  const available = Number(debug?.available ?? 0);
  const possible = availableIn(explanations, place, spanOf(call, place, explanations), { safety: false });
  if (possible.some((possible) => possible === available) && Number(debug?.asked) > available) return undefined;
  return `as goods ${place} had ${available} that are not held`;
}

/** What a request takes, if it takes anything. */
function takingOf(request: Request, { orders }: Explanations): Taking | undefined {
  switch (request.kind) {
    case "sell":
      return { lines: request.lines, orderId: request.orderId, safety: true, own: false };
    case "reserve":
      return { lines: request.lines, orderId: request.orderId, safety: true, own: true };
    case "confirm": {
      const held = orders.get(request.orderId)?.lines.map((line) => ({ ...line, num: line.held ?? 0 })) ?? [];
      const lines = request.lines.length > 0 ? request.lines : held;
      return { lines, orderId: request.orderId, safety: true, own: false };
    }
    case "adjust":
      return { lines: request.lines.map((line) => ({ ...line, num: -line.num })), safety: false, own: false };
    case "transfer":
      return {
        lines: request.lines.map((line) => ({ ...line, locationId: request.from })),
        safety: false,
        own: false,
      };
    default:
      return undefined;
  }
}

/** From each state those that an order may be in afterwards. */
const LATER: Readonly<Record<string, readonly string[]>> = {
  held: ["held", "sold", "rolled_back", "released", "expired"],
  expired: ["held", "sold", "rolled_back", "released", "expired"],
  sold: ["sold", "rolled_back"],
  rolled_back: ["rolled_back"],
  released: ["released"],
  barred: ["barred"],
};

function stateProblem(call: Call, wire: string, { orders, asked }: Explanations): string | undefined {
  const { request, answeredMs } = call;
  if (!("orderId" in request)) return `because an order is ${wire}`;
  const order = orders.get(request.orderId);
  const actual = order?.state;
  const state = wire.replace("ORDER_STATE_", "").toLowerCase();
  const later = LATER[state] ?? [];
  const isHolds = state === "held" || state === "expired" || state === "released";
  if (actual === undefined || !later.includes(actual) || (isHolds && !wasHold(order!))) {
    return `because the order is ${wire}; it is ${actual ?? "not there"}`;
  }
  if (request.kind === "sell" && !isHolds && state !== "barred" && state !== "rolled_back") {
    return `because the order is ${wire}`;
  }
  if (state !== "barred" && state !== "rolled_back" && state !== "released") return undefined;
  if (barred(asked, request.orderId).bornMs <= (answeredMs ?? Infinity)) return undefined;
  return `because the order is ${wire}, before anybody ${state === "released" ? "released" : "rolled"} it back`;
}

function unknownOrderProblem({ request, invokedMs }: Call, { asked }: Explanations): string | undefined {
  if (request.kind !== "confirm" && request.kind !== "extend") return "because the order is unknown";
  const knownMs = asked.reserves.get(request.orderId)?.knownMs ?? Infinity;
  return knownMs < invokedMs ? "because the order is unknown, which was reserved before" : undefined;
}

function unknownProblem(
  call: Call,
  places: readonly PlaceKey[],
  { times, ledgers, asked }: Explanations,
): string | undefined {
  const { request, invokedMs, answeredMs } = call;
  if (request.kind === "set" || (request.kind === "rollback" && request.orderId !== "")) {
    return "because a goods is unknown";
  }
  // A confirmation that comes late sells what was reserved under its id.
  const known = request.kind === "confirm"
    ? (asked.reserves.get(request.orderId)?.calls ?? []).flatMap((reserve) => placesOf(reserve.request))
    : placesOf(request);
  for (const place of places) {
    if (!known.includes(place)) return `because goods ${place} is unknown, which it did not ask for`;
    const { low, high } = times.window(place, invokedMs, answeredMs);
    const wasClosed = ledgers.get(place)?.closed.slice(low, high + 1).includes(true) === true;
    if (low > 0 && !wasClosed) return `because goods ${place} is unknown, which was at version ${low} before`;
  }
  return undefined;
}

function placesOf(request: Request): PlaceKey[] {
  if ("goodsId" in request) return [placeKey(request)];
  if (request.kind === "transfer") {
    return request.lines.flatMap(({ goodsId }) =>
      [request.from, request.to].map((locationId) => placeKey({ goodsId, locationId }))
    );
  }
  return "lines" in request ? request.lines.map(placeKey) : [];
}

function rangeProblem(call: Call, { ledgers, times }: Explanations): string | undefined {
  const { request, invokedMs, answeredMs } = call;
  if (request.kind !== "rollback" && request.kind !== "set") return "because a quantity would be too large";
  const lines = request.kind === "set" ? [{ goodsId: request.goodsId, num: request.num }] : request.lines;
  const possible = lines.length === 0 || lines.some(({ num, ...line }) => {
    const place = placeKey(line);
    const { low, high } = times.window(place, invokedMs, answeredMs);
    return (ledgers.get(place)?.movements.slice(Math.max(0, low - 1), high) ?? [])
      .some(({ onHandAfter, reservedAfter }) =>
        num + (request.kind === "set" ? reservedAfter : onHandAfter) > INT32_MAX
      );
  });
  return possible ? undefined : "because a quantity would be too large, which it would never have been";
}
