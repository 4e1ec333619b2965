/**
 * The page's link to the server: a client for each service, what the caller may do, and the one stream of changes that
 * all tabs of this browser share.
 */
import { type Client, Code, ConnectError, createClient } from "@connectrpc/connect";
import { GoodsService } from "../../gen/inventory/v1/goods_pb.ts";
import { HoldService } from "../../gen/inventory/v1/holds_pb.ts";
import { InventoryService } from "../../gen/inventory/v1/inventory_pb.ts";
import { LockService } from "../../gen/inventory/v1/lock_pb.ts";
import { QueryService } from "../../gen/inventory/v1/query_pb.ts";
import { StockService } from "../../gen/inventory/v1/stock_pb.ts";
import { SystemService, type WhoAmIResponse } from "../../gen/inventory/v1/system_pb.ts";
import type { InvChange } from "../../gen/inventory/v1/watch_pb.ts";
import { transportTo, type Wire } from "./transport.ts";

/** What a caller may be allowed. */
export type Right = "reader" | "seller" | "stocker" | "operator";

/** Whether changes arrive: not yet, now, or no more for the moment. */
export type LinkState = "connecting" | "live" | "away";

/** What pages call the server by. */
export interface Link {
  readonly inventory: Client<typeof InventoryService>;
  readonly query: Client<typeof QueryService>;
  readonly stock: Client<typeof StockService>;
  readonly holds: Client<typeof HoldService>;
  readonly goods: Client<typeof GoodsService>;
  readonly lock: Client<typeof LockService>;
  readonly system: Client<typeof SystemService>;
  /** Who the server takes the caller for; undefined where it does not say. */
  readonly caller: WhoAmIResponse | undefined;
  /** What the caller may; all while callers are not asked who they are. */
  may(right: Right): boolean;
  readonly state: LinkState;
  /** Calls back when `state` has changed. This and those below answer what ends it. */
  onState(listener: (state: LinkState) => void): () => void;
  /** Every batch of changes of the one stream of this browser. */
  onChanges(listener: (changes: readonly InvChange[]) => void): () => void;
  /** What is shown may have changes behind it that nobody will bring: whoever shows lists reads them anew. */
  onReload(listener: () => void): () => void;
}

/** How to link. */
export interface LinkOptions {
  /** The server's origin. */
  readonly baseUrl: string;
  readonly wire: Wire;
  readonly key: string | undefined;
}

/**
 * Asks the server who it takes the caller for, and opens the link.
 *
 * @throws ConnectError where it can't be asked: UNAUTHENTICATED, or whatever stands between
 */
export async function openLink({ baseUrl, wire, key }: LinkOptions): Promise<Link> {
  const transport = transportTo(baseUrl, wire, key);
  const system = createClient(SystemService, transport);
  const caller = await whoAmI(system);
  const none = () => () => {};
  return {
    inventory: createClient(InventoryService, transport),
    query: createClient(QueryService, transport),
    stock: createClient(StockService, transport),
    holds: createClient(HoldService, transport),
    goods: createClient(GoodsService, transport),
    lock: createClient(LockService, transport),
    system,
    caller,
    may: (right) => caller === undefined || caller.kind === "" || caller.rights.includes(right),
    state: "connecting",
    onState: none,
    onChanges: none,
    onReload: none,
  };
}

/** Undefined where the server does not serve the question. */
async function whoAmI(system: Client<typeof SystemService>): Promise<WhoAmIResponse | undefined> {
  try {
    return await system.whoAmI({});
  } catch (error) {
    if (ConnectError.from(error).code === Code.Unimplemented) return undefined;
    throw error;
  }
}
