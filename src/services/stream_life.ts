/**
 * The life of a stream of messages: a message at the least every so often, and an end that is said.
 *
 *     open     --message of the source-->   open
 *     open     --nothing for heartbeatMs--> open     a heartbeat
 *     open     --as old as it may get-->    ended    a last message that says so, and so it does on drain
 *     open     --the source ends, or throws; the caller has gone, or its deadline passes--> ended
 *
 * A caller that takes no messages gets no heartbeats, and the end with the next one that it takes. Nothing is gathered
 * here: of the source at most one message waits.
 */
import { ConnectError } from "@connectrpc/connect";

/** For how long streams are open, and how they show that they are. */
export interface StreamRules {
  /** Longest time between two messages, in ms. */
  readonly heartbeatMs: number;
  /** How old a stream gets, in ms, less up to a quarter by chance: those that began together don't end together. */
  readonly ageMsMax: number;
  /** Evenly spread over [0, 1). */
  readonly random: () => number;
  /** Aborts when the server stops. */
  readonly draining: AbortSignal;
}

/** Why a server ends a stream. */
export type StreamEnd = "AGE" | "DRAINING";

/** What is said beside the messages of the source, each made when it is sent. */
export interface StreamWords<T> {
  /** Not called while a message of the source waits. */
  heartbeat(): T;
  ended(end: StreamEnd): T;
}

/** The part of the age that chance takes, at the most. */
const AGE_JITTER = 1 / 4;

/**
 * The messages of the source for as long as the stream is open.
 *
 * @param open begins the source, which must end when the signal aborts
 * @param caller aborts when the caller has gone, or at its deadline
 * @throws what the source throws; the ConnectError that the caller's signal aborts with
 */
export async function* withLife<T>(
  open: (signal: AbortSignal) => AsyncIterable<T>,
  words: StreamWords<T>,
  caller: AbortSignal,
  rules: StreamRules,
): AsyncGenerator<T> {
  const life = new Life(caller, rules);
  const source = open(life.signal)[Symbol.asyncIterator]();
  try {
    let next = nextOf(source);
    for (;;) {
      const came = await life.before(next);
      if (came === "heartbeat") yield words.heartbeat();
      else if (came === "gone") return;
      else if (typeof came === "string") return void (yield words.ended(came));
      else if (came.done) return;
      else {
        yield came.value;
        next = nextOf(source);
      }
    }
  } finally {
    life.stop();
    // Not waited for: it ends with its signal.
    source.return?.().catch(ignore);
  }
}

function nextOf<T>(source: AsyncIterator<T>): Promise<IteratorResult<T>> {
  const next = source.next();
  // Whoever waits for it hears of it; after the end nobody does.
  next.catch(ignore);
  return next;
}

/** What may come before a message. */
type Came = StreamEnd | "gone" | "heartbeat";

class Life {
  readonly #ending = new AbortController();
  readonly #caller: AbortSignal;
  readonly #rules: StreamRules;
  readonly #age: ReturnType<typeof setTimeout>;
  #end: StreamEnd | "gone" | undefined;
  #wake: (() => void) | undefined;

  constructor(caller: AbortSignal, rules: StreamRules) {
    this.#caller = caller;
    this.#rules = rules;
    this.#age = setTimeout(() => this.#endBy("AGE"), rules.ageMsMax * (1 - AGE_JITTER * rules.random()));
    if (rules.draining.aborted) this.#endBy("DRAINING");
    if (caller.aborted) this.#endBy("gone");
    rules.draining.addEventListener("abort", this.#drain);
    caller.addEventListener("abort", this.#leave);
  }

  /** Aborts once the stream is over. */
  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  /** What comes first: the end of the stream, a message, or the time for a heartbeat. */
  before<T>(message: Promise<IteratorResult<T>>): Promise<IteratorResult<T> | Came> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => resolve("heartbeat"), this.#rules.heartbeatMs);
      this.#wake = () => {
        clearTimeout(timer);
        const { reason } = this.#caller;
        if (this.#end === "gone" && reason instanceof ConnectError) reject(reason);
        else resolve(this.#end!);
      };
      if (this.#end !== undefined) return this.#wake();
      message.then(resolve, reject).finally(() => clearTimeout(timer));
    });
  }

  stop(): void {
    clearTimeout(this.#age);
    this.#rules.draining.removeEventListener("abort", this.#drain);
    this.#caller.removeEventListener("abort", this.#leave);
    this.#ending.abort();
  }

  readonly #drain = () => this.#endBy("DRAINING");
  readonly #leave = () => this.#endBy("gone");

  /** The first end stands, but one who has gone is not there to hear of another. */
  #endBy(end: StreamEnd | "gone"): void {
    if (this.#end === undefined || end === "gone") this.#end = end;
    this.#wake?.();
  }
}

function ignore(): void {}
