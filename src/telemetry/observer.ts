/**
 * What may be observed of the program's work, by whoever measures it (metrics) or follows it (traces). Rooms get an
 * observer handed in, as they get `log`, and call it where something begins or ends; where there is none nobody looks,
 * which costs one branch. It must not throw, must not keep anybody waiting, and never sees a message or a secret. Pure.
 *
 *     call ---------------------------------------------------------------> ended with its code
 *       batch (of several calls, mostly) ------------------------------> over
 *         lease: acquire -> statements: read, write -> lease: release
 */

/** To be called once, when what was begun has ended; with what was thrown, where something was. */
export type Ended = (error?: unknown) => void;

/** What is asked of the lock. */
export type LeaseStep = "acquire" | "extend" | "release";

/** A batch, as it is when its work begins. */
export interface ObservedBatch {
  readonly entries: number;
  readonly goods: number;
  /** How long ago the first of the entries arrived. */
  readonly waitedMs: number;
  /** From {@link StockObserver.call}, of each entry; undefined for what came of no call. */
  readonly calls: readonly unknown[];
}

/** Observes batches, and what they and others ask of the lock and of PostgreSQL. */
export interface StockObserver {
  /** The call whose work this is, kept with its entries; only the observer knows what it is. Undefined: of none. */
  call(): unknown;
  /** Runs `work`, which leads a batch to its end, at once, and answers its promise. */
  batch(batch: ObservedBatch, work: () => Promise<void>): Promise<void>;
  /** The lock is asked for something, of so many goods. Undefined: its end is of no interest. */
  lease(step: LeaseStep, goods: number): Ended | undefined;
  /**
   * A statement begins, or waits for its connection. `operation` is the name of what the store does, such as
   * `read_snapshot` or `write_changes`.
   */
  statement(operation: string): Ended;
}

/** What is known of a call of a method, whatever it comes to. Times are of `performance.now()`, in ms. */
export interface ObservedCall {
  /** With its service, such as `inventory.v1.InventoryService/Sell`. */
  readonly method: string;
  /** By which protocol: gRPC, gRPC-web included, or Connect. */
  readonly system: "grpc" | "connectrpc";
  readonly startedAt: number;
  /** Key of the caller's address. */
  readonly address: string;
  readonly requestId: string | undefined;
}

/** What a call came to. */
export interface CallEnd {
  /** As gRPC names it, such as `FAILED_PRECONDITION`; `OK`. */
  readonly code: string;
  /** Why, in a word that does not vary from call to call: the type of the error's first detail, or its reason. */
  readonly reason: string | undefined;
  readonly actor: string | undefined;
}

/** Observes calls of the methods that are served. */
export interface CallObserver {
  /**
   * A call has come. `carrier` is the stream, or the response of node:http, that answers it. Undefined: it is of no
   * further interest where its work is done.
   */
  begin(call: ObservedCall, carrier: object): (<T>(work: () => T) => T) | undefined;
  /** The answer of a call is known. `carrier` is that of `begin`. */
  end(call: ObservedCall, carrier: object, end: CallEnd): void;
  /** Something was asked for that is not served. */
  unserved?(): void;
}

/** One observer of two; undefined where there is none. Only the first may know calls. */
export function joinStockObservers(
  first: StockObserver | undefined,
  second: StockObserver | undefined,
): StockObserver | undefined {
  return first === undefined || second === undefined ? first ?? second : bothOf(first, second);
}

/** One observer of several; undefined where there is none. Only one of them may follow calls. */
export function joinCallObservers(observers: readonly CallObserver[]): CallObserver | undefined {
  const [first, ...others] = observers;
  if (first === undefined || others.length === 0) return first;
  return {
    begin: (call, carrier) => {
      let within: ReturnType<CallObserver["begin"]>;
      for (const observer of observers) within = observer.begin(call, carrier) ?? within;
      return within;
    },
    end: (call, carrier, end) => {
      for (const observer of observers) observer.end(call, carrier, end);
    },
    unserved() {
      for (const observer of observers) observer.unserved?.();
    },
  };
}

function bothOf(first: StockObserver, second: StockObserver): StockObserver {
  return {
    call: () => first.call(),
    batch: (batch, work) => first.batch(batch, () => second.batch(batch, work)),
    lease: (step, goods) => bothEnded(first.lease(step, goods), second.lease(step, goods)),
    statement: (operation) => bothEnded(first.statement(operation), second.statement(operation)),
  };
}

function bothEnded(first: Ended, second: Ended): Ended;
function bothEnded(first: Ended | undefined, second: Ended | undefined): Ended | undefined;
function bothEnded(first: Ended | undefined, second: Ended | undefined): Ended | undefined {
  if (first === undefined || second === undefined) return first ?? second;
  return (error) => {
    first(error);
    second(error);
  };
}
