/**
 * When a call is over for its time. A call may bring a deadline in its header, and of a unary one the server has a
 * limit of its own. A brought deadline beyond that limit is cut to it: a caller's patience is no error.
 *
 * Who keeps the time of a unary call, and so ends its signal, depends on who answers the call:
 *
 *     fast path (`unary.ts`)   {@link CallTime} alone: the deadline from the header on, as the message may be missing
 *                              for long; without one the server's limit, from the complete message on.
 *     Connect's handlers       Connect keeps a brought deadline, and {@link deadline} adds the server's limit. Connect
 *                              would wait for a message that never comes: `messages/received_body.ts` ends that wait.
 *
 * A signal alone ends nothing: it is {@link deadline}, on both paths, that answers when it aborts, whatever the handler
 * does.
 */
import {
  ConnectError,
  type ContextValues,
  createContextKey,
  type HandlerContext,
  type Interceptor,
} from "@connectrpc/connect";
import { headerTimeout as connectHeader, parseTimeout as parseConnect } from "@connectrpc/connect/protocol-connect";
import { headerTimeout as grpcHeader, parseTimeout as parseGrpc } from "@connectrpc/connect/protocol-grpc";
import { Member, Roll } from "../base/roll.ts";
import { errorFields, type Log } from "../telemetry/log.ts";
import { callerGone, deadlinePassed, limitPassed } from "./errors.ts";

/** The longest that a timer takes, in ms. */
const TIMER_MS_MAX = 2 ** 31 - 1;
/** Of a number in grpc-timeout. */
const GRPC_DIGITS_MAX = 99_999_999;

/**
 * The signal of a unary call, which aborts with a ConnectError at its deadline or at the server's limit, or once its
 * caller has gone; and who answers the call then. Not by a listener, which costs the platform more than the signal.
 */
export class CallEnd {
  readonly #controller = new AbortController();
  #answer: ((reason: unknown) => void) | undefined;

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Ends it. Later ends are none. */
  end(reason: unknown): void {
    if (this.signal.aborted) return;
    this.#controller.abort(reason);
    this.#answer?.(reason);
  }

  /** From now on an end calls this, or nobody. */
  answerBy(answer: ((reason: unknown) => void) | undefined): void {
    this.#answer = answer;
  }
}

const endKey = createContextKey<CallEnd | undefined>(undefined, { description: "end of a unary call" });

/** Aborts when the call's time is up or its caller has gone. Never lasts longer than the server's limit. */
export function callSignal(context: HandlerContext): AbortSignal {
  return context.values.get(endKey)?.signal ?? context.signal;
}

/** Says of a call that it ends by this. */
export function setCallEnd(values: ContextValues, end: CallEnd): ContextValues {
  return values.set(endKey, end);
}

/**
 * Cuts the deadlines in the header to `msMax`, before anything reads them, as a timer of more than 2^31 ms goes off at
 * once. What is no deadline is left as it is, to be refused by whoever reads it.
 */
export function cutTimeouts(header: Headers, msMax: number = TIMER_MS_MAX): void {
  if (isAbove(parseGrpc(header.get(grpcHeader), msMax), msMax)) header.set(grpcHeader, grpcTimeout(msMax));
  if (isAbove(parseConnect(header.get(connectHeader), msMax), msMax)) header.set(connectHeader, `${msMax}`);
}

/** A time as grpc-timeout has it: in microseconds where they fit; in whole seconds, more than a day, never above it. */
export function grpcTimeout(ms: number): string {
  const us = Math.max(0, Math.ceil(ms * 1000));
  if (us <= GRPC_DIGITS_MAX) return `${us}u`;
  return ms <= GRPC_DIGITS_MAX ? `${Math.ceil(ms)}m` : `${Math.floor(ms / 1000)}S`;
}

/** The deadline in the header of a call of that content type, in ms; undefined where there is none that can be read. */
export function timeoutMs(header: Headers): number | undefined {
  const { timeoutMs, error } = parsedTimeout(header);
  return error === undefined ? timeoutMs : undefined;
}

/** What is wrong with that deadline; undefined where nothing is, or there is none. */
export function deadlineFault(header: Headers): ConnectError | undefined {
  return parsedTimeout(header).error;
}

function parsedTimeout(header: Headers): ReturnType<typeof parseGrpc> {
  const isGrpc = header.get("content-type")?.toLowerCase().startsWith("application/grpc") === true;
  return isGrpc ? parseGrpc(header.get(grpcHeader), Infinity) : parseConnect(header.get(connectHeader), Infinity);
}

function isAbove({ timeoutMs }: { timeoutMs?: number }, msMax: number): boolean {
  return timeoutMs !== undefined && timeoutMs > msMax;
}

/** That somebody has begun who comes to a limit at that time, by `performance.now()`. */
class BegunLimit extends Member {
  constructor(readonly atMs: number, readonly passed: () => void) {
    super();
  }
}

/**
 * A limit that is the same for many calls: whoever begins first comes to it first. So one timer does for all, where one
 * for each was measured to cost 1.2 us of a call.
 */
export class SharedLimit {
  /** The longest ago first. */
  readonly #begun = new Roll<BegunLimit>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(readonly ms: number) {}

  /** Calls `passed` in {@link ms}, unless what it answers is {@link done} before. */
  begin(passed: () => void): BegunLimit {
    const begun = new BegunLimit(performance.now() + this.ms, passed);
    this.#begun.add(begun);
    this.#timer ??= setTimeout(this.#pass, this.ms);
    return begun;
  }

  /** Whoever has begun is done. Once more is nothing. */
  done(begun: BegunLimit): void {
    if (!this.#begun.delete(begun) || this.#begun.size > 0) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  readonly #pass = (): void => {
    this.#timer = undefined;
    for (let begun = this.#begun.first; begun !== undefined; begun = this.#begun.first) {
      const leftMs = begun.atMs - performance.now();
      if (leftMs > 0) {
        clearTimeout(this.#timer);
        this.#timer = setTimeout(this.#pass, Math.ceil(leftMs));
        return;
      }
      this.#begun.delete(begun);
      begun.passed();
    }
  };
}

/**
 * The time of a call on the fast path.
 *
 *     receiving -> passed      a brought deadline passes before the message is complete: `late` is called
 *     receiving -> answering   {@link answer}: a deadline goes on, else the server's limit begins
 *     answering -> passed      `end` is called with the reason
 *     any       -> stopped     nobody is called any more
 */
export class CallTime {
  readonly #passesAt: number | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #limit: SharedLimit | undefined;
  #begun: BegunLimit | undefined;
  #passed: () => void;

  /**
   * @param timeoutMs that the call brought; one of 0 has passed already, which is said by {@link answer}
   * @param late called once, when that passes before the message is complete
   */
  constructor(timeoutMs: number | undefined, late: () => void) {
    this.#passed = late;
    this.#passesAt = timeoutMs === undefined ? undefined : performance.now() + timeoutMs;
    if (timeoutMs !== undefined && timeoutMs > 0) this.#timer = setTimeout(() => this.#passed(), timeoutMs);
  }

  /**
   * What is left of the deadline that the call brought, in ms; not above 0 where it has passed; undefined without one.
   */
  get remainingMs(): number | undefined {
    return this.#passesAt === undefined ? undefined : this.#passesAt - performance.now();
  }

  /**
   * The message is complete. From now on `end` is called with the reason, once: at the deadline, at once where it has
   * passed without having been said; else after the server's limit, where there is one.
   */
  answer(end: (reason: ConnectError) => void, limit: SharedLimit | undefined): void {
    const { remainingMs } = this;
    if (remainingMs === undefined) {
      this.#limit = limit;
      this.#begun = limit?.begin(() => end(limitPassed(limit.ms)));
      return;
    }
    this.#passed = () => end(deadlinePassed());
    if (remainingMs > 0) return;
    this.stop();
    this.#passed();
  }

  /** Calls nobody any more. */
  stop(): void {
    if (this.#timer !== undefined) clearTimeout(this.#timer);
    if (this.#begun === undefined) return;
    this.#limit?.done(this.#begun);
    // It knows the whole call.
    this.#begun = undefined;
  }
}

type Next = Parameters<Interceptor>[0];

/**
 * Ends unary calls when their signal aborts: at their deadline, when their caller has gone, or after `timeoutMsMax`.
 * Connect itself only raises the signal and goes on waiting for the handler. Keeps no time of its own for calls that
 * have an end of their own ({@link setCallEnd}).
 */
export function deadline(timeoutMsMax: number, log: Log): Interceptor {
  return (next) => (request) => {
    if (request.stream) return next(request);
    const end = request.contextValues.get(endKey);
    return end === undefined ? limited(next, request, timeoutMsMax, log) : ended(next, request, end, log);
  };
}

/** A call that has neither end nor limit of its own. */
async function limited(next: Next, request: Parameters<Next>[0], timeoutMsMax: number, log: Log) {
  const end = new CallEnd();
  setCallEnd(request.contextValues, end);
  const leave = () => end.end(forCaller(request.signal.reason));
  if (request.signal.aborted) leave();
  request.signal.addEventListener("abort", leave, { once: true });
  const timer = setTimeout(() => end.end(limitPassed(timeoutMsMax)), timeoutMsMax);
  try {
    return await ended(next, request, end, log);
  } finally {
    clearTimeout(timer);
    request.signal.removeEventListener("abort", leave);
  }
}

/** What is answered, or the reason of the end where that comes first. */
function ended(next: Next, request: Parameters<Next>[0], end: CallEnd, log: Log): ReturnType<Next> {
  const { signal } = end;
  if (signal.aborted) return Promise.reject(forCaller(signal.reason));
  return new Promise((resolve, reject) => {
    end.answerBy((reason) => reject(forCaller(reason)));
    next(request).then((response) => {
      end.answerBy(undefined);
      resolve(response);
    }, (error) => {
      end.answerBy(undefined);
      // Nobody waits for it any more, so this is where a fault would go unseen.
      if (signal.aborted && error !== signal.reason && !(error instanceof ConnectError)) {
        log.error({ error: errorFields(error) }, "a call failed after its end by a fault of the service");
      }
      reject(error);
    });
  });
}

/** Why a call has ended, where it has not been answered: without a reason of ours, because its caller has gone. */
function forCaller(reason: unknown): ConnectError {
  return reason instanceof ConnectError ? reason : callerGone();
}
