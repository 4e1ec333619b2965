/** Adjustments, counts and transfers: each once, whole, and as it was asked for; what was refused is not there. */
import type { AskedLine } from "../history.ts";
import type { Asked, AskedFor, RecordedRequest } from "./asked.ts";
import { restrictedKey } from "./asked.ts";
import { spelled } from "./lines.ts";
import { goodsOfKey, placeKey } from "./places.ts";
import type { MovementRow, OperationRow, Tables } from "./tables.ts";
import type { Violations } from "./violations.ts";

const KINDS = new Set(["adjust", "count", "transfer"]);
const RESTRICTING = new Set(["policy", "delete", "restore"]);

/** Says which of them break a rule. */
export function checkRecords(tables: Tables, { recorded, restricted }: AskedFor, violations: Violations): void {
  const byOperation = Map.groupBy(
    tables.movements.filter(({ kind }) => KINDS.has(kind)),
    ({ operationId }) => operationId ?? "",
  );
  const rows = new Map<string, OperationRow>();
  for (const row of tables.operations) {
    if (!KINDS.has(row.kind)) continue;
    rows.set(row.operationId, row);
    checkRow(row, recorded.get(row.operationId), byOperation.get(row.operationId) ?? [], violations);
    byOperation.delete(row.operationId);
  }
  for (const [operationId, movements] of byOperation) {
    violations.add(`${movements[0]?.kind} ${operationId}: ${movements.length} movements without its record`);
  }
  for (const [operationId, { oks }] of recorded) {
    if (oks.length > 0 && !rows.has(operationId)) {
      violations.add(`${oks[0]?.request.kind} ${operationId}: acknowledged, but not on record`);
    }
    const said = new Set(oks.map(({ answer }) => answer.outcome === "ok" ? levelsOf(answer.body) : ""));
    if (said.size > 1) violations.add(`${oks[0]?.request.kind} ${operationId}: answered ${[...said].join(", and ")}`);
  }
  for (const movement of tables.movements) {
    if (!RESTRICTING.has(movement.kind)) continue;
    const { kind, version } = movement;
    const place = placeKey(movement);
    const asked = restricted.get(restrictedKey(kind, goodsOfKey(place)));
    if (asked === undefined || asked.open.length === 0) {
      violations.add(`goods ${place}, version ${version}: a ${kind}, which nobody asked for who was not refused`);
    }
  }
}

/** The levels of an answer: a retry has the same. */
function levelsOf({ levels, level }: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(levels ?? level);
}

function checkRow(
  { operationId, kind, lines }: OperationRow,
  asked: Asked<RecordedRequest["kind"]> | undefined,
  movements: readonly MovementRow[],
  violations: Violations,
): void {
  const what = `${kind} ${operationId}`;
  if (asked === undefined) return violations.add(`${what}: on record, but nobody asked for it`);
  const [open] = asked.open;
  if (open === undefined) return violations.add(`${what}: on record, though every call that asked for it was refused`);
  const { request } = open;
  if (request.kind !== kind) return violations.add(`${what}: asked for was a ${request.kind}`);
  const wanted = request.kind === "count" ? [{ goodsId: request.goodsId, num: request.num }] : linesOf(request);
  const written = request.kind === "transfer" ? lines.map((line) => ({ ...line, num: -line.num })) : lines;
  const from = request.kind === "transfer" ? wanted.filter(({ num }) => num < 0) : wanted;
  if (spelled(written) !== spelled(from)) {
    violations.add(`${what}: recorded as ${spelled(written)}, asked for was ${spelled(from)}`);
  }
  const moved = movements.map(({ goodsId, locationId = 0, onHandDelta }) => ({
    goodsId,
    locationId,
    num: onHandDelta,
  }));
  if (request.kind === "count") {
    const [only, ...more] = movements;
    if (more.length > 0) violations.add(`${what}: moved ${movements.length} times`);
    if (only !== undefined && only.onHandAfter !== request.num) {
      violations.add(`${what}: counted ${request.num}, ${only.onHandAfter} were on hand then`);
    }
  } else if (spelled(moved) !== spelled(wanted) || movements.length !== wanted.length) {
    violations.add(`${what}: asked for was ${spelled(wanted)}, moved ${spelled(moved) || "nothing"}`);
  }
}

/** What is to come and go, by location. */
function linesOf(request: Extract<RecordedRequest, { kind: "adjust" | "transfer" }>): AskedLine[] {
  if (request.kind === "adjust") return [...request.lines];
  return request.lines.flatMap(({ goodsId, num }) => [
    { goodsId, locationId: request.from, num: -num },
    { goodsId, locationId: request.to, num },
  ]);
}
