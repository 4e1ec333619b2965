/** The calls of a history by what they asked for: all calls under one id together. */
import type { AskedLine, Call, Request } from "../history.ts";
import { spelled } from "./lines.ts";
import type { OperationRow, OrderRow } from "./tables.ts";

/** Calls of one kind. */
export type CallOf<K extends Request["kind"]> = Call & { readonly request: Extract<Request, { kind: K }> };

/** All calls that asked for the same thing under the same id. */
export interface Asked<K extends Request["kind"]> {
  readonly calls: readonly CallOf<K>[];
  /** Those that were not refused: one of them may have been applied. */
  readonly open: readonly CallOf<K>[];
  readonly oks: readonly CallOf<K>[];
  /** Before this none of them can have been applied; Infinity: all were refused. */
  readonly bornMs: number;
  /** The same by the clock on the wall; -Infinity where it was not noted. */
  readonly bornWallMs: number;
  /** From this on it was applied; Infinity: nobody was answered so. */
  readonly knownMs: number;
}

/** The calls of a history, sorted out. */
export interface AskedFor {
  /** By order id. */
  readonly sells: ReadonlyMap<string, Asked<"sell">>;
  /** By {@link rollbackKey}. */
  readonly rollbacks: ReadonlyMap<string, Asked<"rollback">>;
  /** By the order that is rolled back. */
  readonly rollbacksOfOrder: ReadonlyMap<string, readonly Asked<"rollback">[]>;
  /** By goods and quantity; sets have no id. */
  readonly sets: ReadonlyMap<string, Asked<"set">>;
  readonly details: readonly CallOf<"detail">[];
  /** By order id, as the next ones. */
  readonly reserves: ReadonlyMap<string, Asked<"reserve">>;
  readonly extends_: ReadonlyMap<string, Asked<"extend">>;
  readonly confirms: ReadonlyMap<string, Asked<"confirm">>;
  readonly releases: ReadonlyMap<string, Asked<"release">>;
  /** By operation id. */
  readonly recorded: ReadonlyMap<string, Asked<RecordedRequest["kind"]>>;
  /** By kind and goods; they have no id. */
  readonly restricted: ReadonlyMap<string, Asked<"policy" | "delete" | "restore">>;
}

/** What is recorded under an id of its caller's beside rollbacks. */
export type RecordedRequest = Extract<Request, { kind: "adjust" | "count" | "transfer" }>;

/** Sorts the calls out. `orders` says which rollbacks with lines were of whole orders. */
export function sortOut(calls: readonly Call[], orders: ReadonlyMap<string, OrderRow>): AskedFor {
  const of = <K extends Request["kind"]>(kind: K) =>
    calls.filter((call): call is CallOf<K> => call.request.kind === kind);
  const rollbacks = gather(of("rollback"), ({ request }) => rollbackKey(request, orders.get(request.orderId)));
  return {
    sells: gather(of("sell"), ({ request }) => request.orderId),
    rollbacks,
    rollbacksOfOrder: Map.groupBy(rollbacks.values(), ({ calls }) => calls[0]!.request.orderId),
    sets: gather(of("set"), ({ request }) => setKey(request)),
    details: of("detail"),
    reserves: gather(of("reserve"), ({ request }) => request.orderId),
    extends_: gather(of("extend"), ({ request }) => request.orderId),
    confirms: gather(of("confirm"), ({ request }) => request.orderId),
    releases: gather(of("release"), ({ request }) => request.orderId),
    recorded: gather(
      [...of("adjust"), ...of("count"), ...of("transfer")] as CallOf<RecordedRequest["kind"]>[],
      ({ request }) => request.operationId,
    ),
    restricted: gather(
      [...of("policy"), ...of("delete"), ...of("restore")] as CallOf<"policy" | "delete" | "restore">[],
      ({ request }) => restrictedKey(request.kind, request.goodsId),
    ),
  };
}

/** What a policy, a deletion and a restoration are known by. */
export function restrictedKey(kind: string, goodsId: number): string {
  return `${kind} ${goodsId}`;
}

/** What a set is known by. */
export function setKey({ goodsId, num }: { readonly goodsId: number; readonly num: number }): string {
  return `${goodsId}=${num}`;
}

/** Whether a rollback is of all that is left of its order, as far as the order is known. */
export function isWhole(lines: readonly AskedLine[], order: OrderRow | undefined): boolean {
  return lines.length === 0 ||
    (order !== undefined && order.state !== "barred" && spelled(lines) === spelled(order.lines));
}

/** What a rollback is known by: the caller's id, or else the order and the part. */
function rollbackKey(request: CallOf<"rollback">["request"], order: OrderRow | undefined): string {
  if (request.orderId === "" && request.rollbackId === "") {
    throw new Error("The checker knows nothing that is given back without an order and an id");
  }
  if (request.rollbackId !== "") return `id ${request.rollbackId}`;
  if (isWhole(request.lines, order)) return `whole ${request.orderId}`;
  return `part ${request.orderId} ${spelled(request.lines)}`;
}

/** What a recorded operation is known by: ids that callers choose have no `~`. */
export function operationKey({ operationId, orderId, lines }: OperationRow): string {
  if (operationId.startsWith("whole~")) return `whole ${orderId}`;
  if (operationId.startsWith("part~")) return `part ${orderId} ${spelled(lines)}`;
  return `id ${operationId}`;
}

function gather<K extends Request["kind"]>(
  calls: readonly CallOf<K>[],
  key: (call: CallOf<K>) => string,
): Map<string, Asked<K>> {
  const gathered = new Map<string, Asked<K>>();
  for (const [name, together] of Map.groupBy(calls, key)) {
    const open = together.filter(({ answer }) => answer.outcome !== "refused");
    const oks = together.filter(({ answer }) => answer.outcome === "ok");
    gathered.set(name, {
      calls: together,
      open,
      oks,
      bornWallMs: least(open.map(({ wallMs }) => wallMs ?? -Infinity)),
      bornMs: least(open.map(({ invokedMs }) => invokedMs)),
      knownMs: least(oks.map(({ answeredMs }) => answeredMs ?? Infinity)),
    });
  }
  return gathered;
}

function least(values: readonly number[]): number {
  let least = Infinity;
  for (const value of values) if (value < least) least = value;
  return least;
}
