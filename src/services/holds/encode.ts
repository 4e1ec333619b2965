/** What calls of HoldService came to, as messages and errors. All of these throw what is to be answered as an error. */
import { Code } from "@connectrpc/connect";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type {
  ListHoldsResponseSchema,
  ListShortfallsResponseSchema,
  OrderSchema,
  ResolveShortfallResponseSchema,
  ShortfallRecordSchema,
} from "../../gen/inventory/v1/holds_pb.ts";
import type { AskedResolution, RecordedShortfall, ResolvedShortfall, TimeKey } from "../../inventory/hold_lists.ts";
import type { Order, OrderState } from "../../inventory/model.ts";
import type { Operation } from "../../inventory/operations/operation.ts";
import { stateAt } from "../../inventory/states.ts";
import type { OrderAt } from "../../lanes/reads.ts";
import { detailedError, info } from "../../rpc/errors.ts";
import { type Ending, errorOf } from "../ending.ts";
import { type PagedList, pageToken } from "../page_token.ts";
import { refusalError, shortfallError, WIRE_STATES } from "../refusals.ts";
import type { AskedPage } from "./decode.ts";

/** Lines of all orders of one page, so that no answer comes near what the server sends at most. */
const PAGE_LINES_MAX = 10_000;

/** Skus by goods id. */
type SkuNames = ReadonlyMap<number, string> | undefined;
type OrderMessage = MessageInitShape<typeof OrderSchema>;

/**
 * The order after a reserve, extend, confirm or release; `skus` are what its request called goods, also in an error.
 *
 * @throws ConnectError, or the fault itself
 */
export function holdAnswer(
  { kind, dryRun }: Operation,
  ending: Ending,
  skus?: SkuNames,
): { readonly order: OrderMessage; readonly replayed: boolean } {
  if (ending instanceof Error) throw errorOf(ending);
  if (!ending.ok) throw refusalError(ending.refusal, skus);
  if (ending.kind === "shortfall") throw shortfallError(ending.shortfall, dryRun !== true, skus);
  if (ending.kind !== "hold") throw new Error(`The lanes answered a ${ending.kind} to a ${kind}`);
  return { order: orderMessage(ending.order, ending.order.state, skus), replayed: ending.replayed ?? false };
}

/** An order that was read. @throws ConnectError NOT_FOUND */
export function orderAnswer(orderId: string, found: OrderAt | undefined): { readonly order: OrderMessage } {
  if (found === undefined) throw refusalError({ reason: "unknown_order", orderId });
  return { order: orderMessage(found.order, stateAt(found.order, found.atMs)) };
}

/** A page out of what was read for it: one row more than it may have, where there are that many. */
export function holdsAnswer(
  page: AskedPage,
  orders: readonly Order[],
): MessageInitShape<typeof ListHoldsResponseSchema> {
  const { rows, next } = pageOf(page, orders, ({ orderId, expiresAtMs = 0 }) => ({ atMs: expiresAtMs, orderId }));
  return { holds: rows.map((order) => orderMessage(order, order.state)), nextPageToken: next };
}

/** The same of shortfalls. */
export function shortfallsAnswer(
  page: AskedPage,
  shortfalls: readonly RecordedShortfall[],
): MessageInitShape<typeof ListShortfallsResponseSchema> {
  const { rows, next } = pageOf(page, shortfalls, ({ orderId, createdAtMs }) => ({ atMs: createdAtMs, orderId }));
  return { shortfalls: rows.map(shortfallMessage), nextPageToken: next };
}

/** @throws ConnectError NOT_FOUND, ALREADY_EXISTS, ABORTED */
export function resolvedAnswer(
  { orderId, resolution }: AskedResolution,
  found: ResolvedShortfall | undefined,
): MessageInitShape<typeof ResolveShortfallResponseSchema> {
  if (found === undefined) {
    throw detailedError(Code.NotFound, `unknown shortfall: ${orderId}`, [
      info("UNKNOWN_SHORTFALL", { order_id: orderId }),
    ]);
  }
  const { resolved, openedAtMs } = found.shortfall;
  if (!found.now && resolved === undefined) {
    const since = new Date(openedAtMs).toISOString();
    throw detailedError(Code.Aborted, `another shortfall of ${orderId} is open now, since ${since}`, [
      info("OTHER_SHORTFALL", { order_id: orderId }),
    ]);
  }
  const before = resolved?.resolution ?? "";
  if (!found.now && before !== resolution) {
    const differences = `resolution was ${before}`;
    throw detailedError(Code.AlreadyExists, `the shortfall of ${orderId} is resolved: ${differences}`, [
      info("CONTENT_DIFFERS", { field: "resolution", order_id: orderId, differences }),
    ]);
  }
  return { shortfall: { ...shortfallMessage(found.shortfall), resolution }, replayed: !found.now };
}

/** An order in a state, as a message. */
export function orderMessage(order: Order, state: OrderState, skus?: SkuNames): OrderMessage {
  const { orderId, lines, returned, atMs, asked, held, expiresAtMs, buyerId = "" } = order;
  return {
    orderId,
    state: WIRE_STATES[state],
    lines: lines.map((line, i) => ({
      ...line,
      asked: asked?.[i] ?? held?.[i] ?? line.num,
      held: held?.[i] ?? 0,
      returned: returned[i] ?? 0,
      ...(skus === undefined ? {} : { sku: skus.get(line.goodsId) ?? "" }),
    })),
    buyerId,
    createdAt: timestampFromMs(atMs),
    ...(expiresAtMs === undefined ? {} : { expiresAt: timestampFromMs(expiresAtMs) }),
  };
}

function shortfallMessage(shortfall: RecordedShortfall): MessageInitShape<typeof ShortfallRecordSchema> {
  const { orderId, buyerId = "", lines, createdAtMs, openedAtMs, resolved } = shortfall;
  return {
    orderId,
    buyerId,
    lines: lines.map((line) => ({ ...line })),
    createdAt: timestampFromMs(createdAtMs),
    openedAt: timestampFromMs(openedAtMs),
    ...(resolved === undefined ? {} : { resolvedAt: timestampFromMs(resolved.atMs), resolution: resolved.resolution }),
  };
}

/** As many of the rows as fit, one at least, and the token of the page behind them; "" behind the last. */
function pageOf<R extends { readonly lines: readonly unknown[] }>(
  { list, size }: { readonly list: PagedList; readonly size: number },
  found: readonly R[],
  keyOf: (row: R) => TimeKey,
): { readonly rows: readonly R[]; readonly next: string } {
  let lines = 0;
  const end = found.findIndex((row, i) => i === size || (lines += row.lines.length) > PAGE_LINES_MAX && i > 0);
  const rows = end === -1 ? found : found.slice(0, end);
  const last = rows.at(-1);
  if (end === -1 || last === undefined) return { rows, next: "" };
  const { atMs, orderId } = keyOf(last);
  return { rows, next: pageToken(list, [atMs, orderId]) };
}
