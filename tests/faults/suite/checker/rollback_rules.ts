/**
 * What came back is what the ledger says was given, never more than was sold; a rollback before its sell bars it. What
 * is given back without an order is what was asked for.
 */
import { type Asked, type AskedFor, type CallOf, isWhole, operationKey } from "./asked.ts";
import { answeredLines, spelled } from "./lines.ts";
import { placeKey } from "./places.ts";
import type { MovementRow, OperationRow, OrderRow, Tables } from "./tables.ts";
import type { Violations } from "./violations.ts";

const ROLLBACK_KINDS = new Set(["rollback_whole", "rollback_part", "bar", "give_back"]);

/** Says which rollbacks break a rule. */
export function checkRollbacks(
  tables: Tables,
  orders: ReadonlyMap<string, OrderRow>,
  { rollbacks }: AskedFor,
  violations: Violations,
): void {
  const given = tables.movements.filter(({ kind }) => kind === "rollback");
  const withoutOrder = tables.movements.filter(({ kind }) => kind === "give_back");
  const byOperation = Map.groupBy([...given, ...withoutOrder], ({ operationId }) => operationId ?? "");
  const rows = new Map<string, OperationRow>();
  for (const row of tables.operations) {
    if (!ROLLBACK_KINDS.has(row.kind)) continue;
    const key = operationKey(row);
    rows.set(key, row);
    const asked = rollbacks.get(key);
    const order = orders.get(row.orderId ?? "");
    checkRow(row, order, byOperation.get(row.operationId) ?? [], violations);
    byOperation.delete(row.operationId);
    if (asked === undefined) violations.add(`rollback ${row.operationId}: on record, but nobody asked for it`);
    else if (asked.open.length === 0) {
      violations.add(`rollback ${row.operationId}: on record, though every call that asked for it was refused`);
    } else if (!asked.open.some(({ request }) => isOf(row, request, order))) {
      violations.add(`rollback ${row.operationId}: recorded as ${row.kind} of ${row.orderId}: ${spelled(row.lines)}`);
    }
  }
  for (const [operationId, movements] of byOperation) {
    violations.add(`rollback ${operationId}: ${movements.length} movements without its record`);
  }
  checkReturned(tables, given, violations);
  for (const [key, asked] of rollbacks) checkAnswers(key, rows.get(key), orders, asked, violations);
}

/** A record and its movements say the same. */
function checkRow(
  { operationId, kind, lines }: OperationRow,
  order: OrderRow | undefined,
  movements: readonly MovementRow[],
  violations: Violations,
): void {
  const bars = kind === "bar";
  const kinds = new Set(movements.map((movement) => movement.kind));
  const expected = kind === "give_back" ? kind : "rollback";
  if (kinds.size > 1 || (kinds.size === 1 && !kinds.has(expected))) {
    violations.add(`rollback ${operationId}: ${kind}, its movements are of ${[...kinds]}`);
  }
  if (kind === "give_back") {
    if (order !== undefined) violations.add(`rollback ${operationId}: without an order, and yet of ${order.orderId}`);
  } else if (order === undefined) violations.add(`rollback ${operationId}: its order is not there`);
  else if (bars !== (order.state === "barred")) {
    violations.add(`rollback ${operationId}: ${kind} of a ${order.state} order`);
  } else if (kind === "rollback_whole" && order.state !== "rolled_back") {
    violations.add(`rollback ${operationId}: of the whole order, which is ${order.state}`);
  }
  const moved = movements.map(({ goodsId, locationId = 0, onHandDelta }) => ({
    goodsId,
    locationId,
    num: onHandDelta,
  }));
  const strange = movements.some(({ orderId }) => (orderId ?? undefined) !== order?.orderId);
  if (strange || movements.length !== (bars ? 0 : lines.length) || spelled(moved) !== spelled(bars ? [] : lines)) {
    violations.add(`rollback ${operationId}: recorded as ${kind} of ${spelled(lines)}, moved ${spelled(moved)}`);
  }
}

/** Whether the request is what the record says. */
export function isOf(row: OperationRow, request: CallOf<"rollback">["request"], order: OrderRow | undefined): boolean {
  if (request.orderId !== (row.orderId ?? "")) return false;
  if (row.kind === "rollback_whole") return isWhole(request.lines, order);
  return spelled(request.lines) === spelled(row.lines);
}

/** What came back of each line, and that its sell came before. */
function checkReturned(tables: Tables, given: readonly MovementRow[], violations: Violations): void {
  const lineOf = ({ orderId, ...line }: { orderId: string | null; goodsId: number; locationId?: number }) =>
    `${orderId}, goods ${placeKey(line)}`;
  const byLine = Map.groupBy(given, lineOf);
  const soldAt = new Map<string, number>();
  for (const movement of tables.movements) {
    if (movement.kind === "sell" || movement.kind === "confirm") soldAt.set(lineOf(movement), movement.version);
  }
  for (const { orderId, state, lines } of tables.orders) {
    let allBack = lines.length > 0;
    for (const { goodsId, locationId = 0, num, returned } of lines) {
      const line = lineOf({ orderId, goodsId, locationId });
      const movements = byLine.get(line) ?? [];
      byLine.delete(line);
      const back = movements.reduce((sum, { onHandDelta }) => sum + onHandDelta, 0);
      if (back !== returned) violations.add(`order ${line}: ${returned} came back, rollbacks gave ${back}`);
      if (back > num) violations.add(`order ${line}: ${back} came back of ${num}`);
      if (movements.some(({ version }) => version < (soldAt.get(line) ?? 0))) {
        violations.add(`order ${line}: came back before it was sold`);
      }
      allBack &&= returned === num;
    }
    if ((state === "sold" || state === "rolled_back") && allBack !== (state === "rolled_back")) {
      violations.add(`order ${orderId}: ${state}, and ${allBack ? "all" : "not all"} of it came back`);
    }
  }
  for (const line of byLine.keys()) violations.add(`order ${line}: came back without being in an order`);
}

/** What acknowledged calls were answered is what is there, and the same each time. */
function checkAnswers(
  key: string,
  row: OperationRow | undefined,
  orders: ReadonlyMap<string, OrderRow>,
  { oks }: Asked<"rollback">,
  violations: Violations,
): void {
  const [first] = oks;
  if (first === undefined) return;
  for (const ok of oks) {
    if (saidTo(ok) !== saidTo(first)) {
      violations.add(`rollback ${key}: one call was answered ${saidTo(first)}, another ${saidTo(ok)}`);
    }
  }
  for (const { request } of oks) {
    const order = orders.get(request.orderId);
    if (row !== undefined && !isOf(row, request, order)) {
      violations.add(`rollback ${key}: acknowledged for ${request.orderId}: ${spelled(request.lines)}, not on record`);
    }
  }
  const { orderId, lines } = first.request;
  const order = orders.get(orderId);
  // A rollback without an id that has nothing to do leaves no record.
  const idle = key.startsWith("id ") || order === undefined
    ? false
    : order.state === "barred" || (order.state === "rolled_back" && isWhole(lines, order));
  if (row === undefined && !idle) violations.add(`rollback ${key}: acknowledged, but not on record`);
  const expected = row === undefined || row.kind === "bar" ? "" : spelled(row.lines);
  if (!saidTo(first).endsWith(`: ${expected}`)) {
    violations.add(`rollback ${key}: answered ${saidTo(first)}, the ledger has "${expected}"`);
  }
  const { answer, request } = first;
  if (
    answer.outcome === "ok" &&
    ((answer.body.orderId ?? "") !== orderId || (answer.body.rollbackId ?? "") !== request.rollbackId)
  ) {
    violations.add(`rollback ${key}: answered as ${answer.body.rollbackId} of order ${answer.body.orderId}`);
  }
}

function saidTo({ answer }: CallOf<"rollback">): string {
  if (answer.outcome !== "ok") return "";
  const lines = answeredLines(answer.body.goodsInfo);
  return `${answer.body.orderId}: ${lines === undefined ? "no lines that can be read" : spelled(lines)}`;
}
