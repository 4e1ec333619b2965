/**
 * The page's link to the server: a client for each service, what the caller may do, and the one stream of changes that
 * all tabs of this browser share. It outlives its key: with another one of the same caller it goes on.
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
import { KeyedTransport } from "./keyed_transport.ts";
import { joinStream } from "./shared_stream.ts";
import type { LinkState, StreamEvent, StreamPart } from "./stream_events.ts";
import { type Credentials, transportTo } from "./transport.ts";

/** What a caller may be allowed. */
export type Right = "reader" | "seller" | "stocker" | "operator";

/** What pages call the server by. Those that begin with `on` call back until what they answer is called. */
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
  onState(listener: (state: LinkState) => void): () => void;
  /** Every batch of changes of the one stream of this browser. */
  onChanges(listener: (changes: readonly InvChange[]) => void): () => void;
  /** What is shown may have changes behind it that nobody will bring: whoever shows lists reads them anew. */
  onReload(listener: () => void): () => void;
  /** The server takes the key no more: until it goes on with another one there is nothing to call by. */
  onRefused(listener: () => void): () => void;
  /** Calls by this key, and takes part in the stream of its caller, for which it waits a while. */
  begin(credentials: Credentials): Promise<void>;
  /** Takes part in no stream and calls by no key, until it begins anew. */
  hold(): void;
  /** Ends it. */
  close(): void;
}

/** A page that opens waits so long for the stream, in ms: what it reads then has no change behind it. */
const STREAM_MS_MAX = 1_000;

/**
 * Who the server takes the caller for; undefined where it does not say.
 *
 * @throws ConnectError where it can't be asked: UNAUTHENTICATED, or whatever stands between
 */
export async function askCaller(credentials: Credentials): Promise<WhoAmIResponse | undefined> {
  try {
    return await createClient(SystemService, transportTo(credentials)).whoAmI({});
  } catch (error) {
    if (ConnectError.from(error).code === Code.Unimplemented) return undefined;
    throw error;
  }
}

/** Whether it is known to be the same caller, with the same rights. */
export function isSameCaller(a: WhoAmIResponse | undefined, b: WhoAmIResponse | undefined): boolean {
  const [of, other] = [a, b].map((caller) => caller && JSON.stringify([caller.kind, caller.name, caller.rights]));
  return of !== undefined && of === other;
}

/** A link of this caller, to be begun. */
export function linkOf(caller: WhoAmIResponse | undefined): Link {
  return new CallerLink(caller);
}

class CallerLink implements Link {
  readonly inventory;
  readonly query;
  readonly stock;
  readonly holds;
  readonly goods;
  readonly lock;
  readonly system;
  readonly onState;
  readonly onChanges;
  readonly onReload;
  readonly onRefused;
  private readonly listeners = new Listeners();
  readonly #transport = new KeyedTransport(() => this.listeners.refused());
  #part: StreamPart | undefined;
  #hasBegun = false;

  constructor(readonly caller: WhoAmIResponse | undefined) {
    const [transport, { listeners }] = [this.#transport, this];
    this.inventory = createClient(InventoryService, transport);
    this.query = createClient(QueryService, transport);
    this.stock = createClient(StockService, transport);
    this.holds = createClient(HoldService, transport);
    this.goods = createClient(GoodsService, transport);
    this.lock = createClient(LockService, transport);
    this.system = createClient(SystemService, transport);
    this.onState = listeners.onState;
    this.onChanges = listeners.onChanges;
    this.onReload = listeners.onReload;
    this.onRefused = listeners.onRefused;
  }

  get state(): LinkState {
    return this.listeners.state;
  }

  may(right: Right): boolean {
    return this.caller === undefined || this.caller.kind === "" || this.caller.rights.includes(right);
  }

  async begin(credentials: Credentials): Promise<void> {
    this.hold();
    const live = Promise.withResolvers<void>();
    const stop = this.listeners.onState((state) => (state === "live" || state === "denied") && live.resolve());
    const timer = setTimeout(live.resolve, STREAM_MS_MAX);
    this.#transport.use(transportTo(credentials));
    this.#part = joinStream(credentials, (event) => this.listeners.take(event));
    await live.promise;
    clearTimeout(timer);
    stop();
    // A stream that other tabs have already says nothing of what came while this one had no key.
    if (this.#hasBegun) this.listeners.take({ kind: "reload" });
    this.#hasBegun = true;
  }

  hold(): void {
    this.#leaveStream();
    this.#transport.hold();
  }

  close(): void {
    this.#leaveStream();
    this.#transport.close();
  }

  #leaveStream(): void {
    this.#part?.close();
    this.#part = undefined;
    this.listeners.take({ kind: "state", state: "connecting" });
  }
}

/** Who wants to hear of what the stream says, and how it is. */
class Listeners {
  state: LinkState = "connecting";
  readonly #state = new Set<(state: LinkState) => void>();
  readonly #changes = new Set<(changes: readonly InvChange[]) => void>();
  readonly #reload = new Set<() => void>();
  readonly #refused = new Set<() => void>();

  readonly onState = adderTo(this.#state);
  readonly onChanges = adderTo(this.#changes);
  readonly onReload = adderTo(this.#reload);
  readonly onRefused = adderTo(this.#refused);

  take(event: StreamEvent): void {
    switch (event.kind) {
      case "state":
        this.state = event.state;
        return this.#state.forEach((listener) => listener(event.state));
      case "changes":
        return this.#changes.forEach((listener) => listener(event.changes));
      case "reload":
        return this.#reload.forEach((listener) => listener());
      case "refused":
        // Who may not watch may still do what it may; who is not known may nothing.
        if (event.code === Code.Unauthenticated) this.refused();
    }
  }

  refused(): void {
    this.#refused.forEach((listener) => listener());
  }
}

function adderTo<Listener>(set: Set<Listener>): (listener: Listener) => () => void {
  return (listener) => {
    set.add(listener);
    return () => set.delete(listener);
  };
}
