/**
 * A service that keeps every promise, in memory, for tests of the fault suite's checker: it makes histories and the
 * tables that belong to them. It shares no code with the program or the checker.
 *
 * What it did is a list of changes, from which the tables are made, so that a test can take a change out, apply one
 * twice or put two in another order, and have tables that are whole by themselves.
 */
import type { Answer, AskedLine, Call, History, Request } from "../faults/suite/history.ts";
import type { MovementRow, OperationRow, OrderRow, StockRow, Tables } from "../faults/suite/checker/tables.ts";

/** One change that was applied. */
export type Change =
  | { readonly kind: "set"; readonly id: string; readonly goodsId: number; readonly num: number }
  | { readonly kind: "sell"; readonly orderId: string; readonly lines: readonly AskedLine[]; readonly atMs: number }
  | {
    readonly kind: "rollback_whole" | "rollback_part" | "bar";
    readonly id: string;
    readonly orderId: string;
    readonly lines: readonly AskedLine[];
    readonly atMs: number;
  }
  | { readonly kind: "give_back"; readonly id: string; readonly lines: readonly AskedLine[]; readonly atMs: number };

/** How a call goes: heard or not, before or after it was decided. */
export type Fate = "answered" | "lost_before" | "lost_after" | "refused_before";

/** Takes calls, one after the other, and keeps what callers saw. */
export class SimulatedStock {
  readonly changes: Change[] = [];
  readonly calls: Call[] = [];
  #operations = 0;

  get history(): History {
    return { calls: this.calls };
  }

  get tables(): Tables {
    return tablesOf(this.changes);
  }

  /** A call that is decided at `atMs`, was made `beforeMs` earlier and is answered `afterMs` later. */
  call(request: Request, atMs: number, { fate = "answered" as Fate, beforeMs = 1, afterMs = 1 } = {}): Answer {
    const times = { invokedMs: atMs - beforeMs, wallMs: atMs - beforeMs, answeredMs: atMs + afterMs };
    const decided = fate === "lost_before" || fate === "refused_before" ? undefined : this.#decide(request, atMs);
    const answer: Answer = fate === "refused_before"
      ? { outcome: "refused", code: "unavailable", details: [] }
      : fate === "answered" && decided !== undefined
      ? decided
      : { outcome: "unknown", code: "cut" };
    const answeredMs = fate === "lost_after" ? undefined : times.answeredMs;
    this.calls.push({ operation: this.#operations++, request, server: "1", ...times, answeredMs, answer });
    return answer;
  }

  #decide(request: Request, atMs: number): Answer {
    const { stock, orders, operations } = this.tables;
    const level = (goodsId: number) => stock.find((row) => row.goodsId === goodsId);
    switch (request.kind) {
      case "detail": {
        const known = level(request.goodsId);
        return known === undefined ? unknownGoods([request.goodsId]) : ok(levelBody(known));
      }
      case "set": {
        const { goodsId, num } = request;
        if (level(goodsId)?.onHand !== num) {
          this.changes.push({ kind: "set", id: `set-${this.changes.length}`, goodsId, num });
        }
        return ok(levelBody(this.tables.stock.find((row) => row.goodsId === goodsId)!));
      }
      case "sell": {
        const { orderId, lines } = request;
        const order = orders.find((row) => row.orderId === orderId);
        if (order?.state === "sold") return ok(sellBody(order));
        if (order !== undefined) return orderState(order);
        const unknown = lines.filter(({ goodsId }) => level(goodsId) === undefined);
        if (unknown.length > 0) return unknownGoods(unknown.map(({ goodsId }) => goodsId));
        const short = lines.filter(({ goodsId, num }) => level(goodsId)!.onHand < num);
        if (short.length > 0) {
          return refused(
            "failed_precondition",
            short.map(({ goodsId, num }) => ({
              type: "inventory.v1.ShortStock",
              debug: { goodsId, asked: num, available: level(goodsId)!.onHand },
            })),
          );
        }
        this.changes.push({ kind: "sell", orderId, lines, atMs });
        return ok(sellBody(this.tables.orders.find((row) => row.orderId === orderId)!));
      }
      case "rollback": {
        const { orderId, rollbackId, lines } = request;
        if (orderId === "") {
          const unknown = lines.filter(({ goodsId }) => level(goodsId) === undefined);
          if (unknown.length > 0) return unknownGoods(unknown.map(({ goodsId }) => goodsId));
          const recorded = operations.find((row) => row.operationId === rollbackId);
          if (recorded === undefined) this.changes.push({ kind: "give_back", id: rollbackId, lines, atMs });
          return ok({ goodsInfo: recorded?.lines ?? lines, orderId, rollbackId });
        }
        const order = orders.find((row) => row.orderId === orderId);
        const whole = lines.length === 0 || (order !== undefined && sameLines(lines, order.lines));
        const id = rollbackId !== ""
          ? rollbackId
          : whole
          ? `whole~${orderId}`
          : `part~${orderId}~${JSON.stringify(lines)}`;
        const body = (goodsInfo: readonly AskedLine[]) => ok({ goodsInfo, orderId, rollbackId });
        const recorded = operations.find((row) => row.operationId === id);
        if (recorded !== undefined) return body(recorded.kind === "bar" ? [] : recorded.lines);
        if (order === undefined || order.state === "barred") {
          if (order === undefined || rollbackId !== "") this.changes.push({ kind: "bar", id, orderId, lines, atMs });
          return body([]);
        }
        const left = order.lines.map(({ goodsId, num, returned }) => ({ goodsId, num: num - returned }));
        const given = whole ? left.filter(({ num }) => num > 0) : lines;
        const exceeding = given.filter(({ goodsId, num }) => num > (left.find((l) => l.goodsId === goodsId)?.num ?? 0));
        if (exceeding.length > 0) {
          return refused(
            "failed_precondition",
            exceeding.map(({ goodsId, num }) => ({
              type: "inventory.v1.ExceedsSold",
              debug: { goodsId, asked: num, returnable: left.find((line) => line.goodsId === goodsId)?.num ?? 0 },
            })),
          );
        }
        if (given.length > 0 || rollbackId !== "") {
          this.changes.push({ kind: whole ? "rollback_whole" : "rollback_part", id, orderId, lines: given, atMs });
        }
        return body(given);
      }
      default:
        throw new Error(`A ${request.kind} is not simulated`);
    }
  }
}

/** The tables after these changes. */
export function tablesOf(changes: readonly Change[]): Tables {
  const stock = new Map<number, StockRow>();
  const movements: MovementRow[] = [];
  const orders = new Map<string, OrderRow>();
  const operations: OperationRow[] = [];
  const move = (
    kind: string,
    orderId: string | null,
    operationId: string | null,
    goodsId: number,
    delta: number,
    atMs: number,
  ) => {
    const before = stock.get(goodsId) ?? { goodsId, onHand: 0, reserved: 0, version: 0 };
    const after = { ...before, onHand: before.onHand + delta, version: before.version + 1 };
    stock.set(goodsId, after);
    const sums = { onHandDelta: delta, reservedDelta: 0, onHandAfter: after.onHand, reservedAfter: 0 };
    movements.push({ goodsId, version: after.version, kind, orderId, operationId, ...sums, atMs });
  };
  for (const change of changes) {
    if (change.kind === "set") {
      const { id, goodsId, num } = change;
      move("set", null, id, goodsId, num - (stock.get(goodsId)?.onHand ?? 0), 0);
      operations.push({ operationId: id, kind: "set", orderId: null, lines: [{ goodsId, num }] });
      continue;
    }
    if (change.kind === "give_back") {
      const { id, lines, atMs } = change;
      operations.push({ operationId: id, kind: "give_back", orderId: null, lines });
      for (const { goodsId, num } of lines) move("give_back", null, id, goodsId, num, atMs);
      continue;
    }
    const { orderId, lines, atMs } = change;
    if (change.kind === "sell") {
      for (const { goodsId, num } of lines) move("sell", orderId, null, goodsId, -num, atMs);
      orders.set(orderId, { orderId, state: "sold", lines: lines.map((line) => ({ ...line, returned: 0 })), atMs });
      continue;
    }
    operations.push({ operationId: change.id, kind: change.kind, orderId, lines });
    if (change.kind === "bar") {
      orders.set(orderId, orders.get(orderId) ?? { orderId, state: "barred", lines: [], atMs });
      continue;
    }
    for (const { goodsId, num } of lines) move("rollback", orderId, change.id, goodsId, num, atMs);
    const order = orders.get(orderId);
    const returned = order?.lines.map((line) => ({
      ...line,
      returned: line.returned + (lines.find(({ goodsId }) => goodsId === line.goodsId)?.num ?? 0),
    })) ?? [];
    const all = returned.every((line) => line.returned === line.num);
    orders.set(orderId, { orderId, state: all ? "rolled_back" : "sold", lines: returned, atMs: order?.atMs ?? atMs });
  }
  return { stock: [...stock.values()], movements, orders: [...orders.values()], operations, holds: [] };
}

function sameLines(a: readonly AskedLine[], b: readonly AskedLine[]): boolean {
  return a.length === b.length && a.every(({ goodsId, num }, i) => goodsId === b[i]?.goodsId && num === b[i]?.num);
}

function levelBody({ goodsId, onHand, reserved, version }: StockRow): Record<string, unknown> {
  return { goodsId, num: onHand - reserved, onHand, reserved, version: String(version) };
}

function sellBody({ orderId, lines, atMs }: OrderRow): Record<string, unknown> {
  const goodsInfo = lines.map(({ goodsId, num }) => ({ goodsId, num }));
  return { goodsInfo, orderId, soldAt: new Date(atMs).toISOString() };
}

function ok(body: Record<string, unknown>): Answer {
  return { outcome: "ok", body };
}

function refused(code: string, details: readonly unknown[]): Answer {
  return { outcome: "refused", code, details };
}

function unknownGoods(goodsIds: readonly number[]): Answer {
  const debug = { reason: "UNKNOWN_GOODS", metadata: { goods_ids: goodsIds.join(",") } };
  return refused("not_found", [{ type: "google.rpc.ErrorInfo", debug }]);
}

function orderState({ orderId, state }: OrderRow): Answer {
  const debug = { orderId, state: `ORDER_STATE_${state.toUpperCase()}` };
  return refused("failed_precondition", [{ type: "inventory.v1.OrderStateConflict", debug }]);
}
