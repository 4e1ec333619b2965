/**
 * A line for a call, at level `info`: for a part of those that were answered, and for all that were not, up to so many
 * in a second. What was left out is counted, and the next line of that kind has the count.
 */
import type { Log } from "./log.ts";
import type { CallEnd, CallObserver, ObservedCall } from "./observer.ts";
import type { TraceFields } from "./tracing.ts";

/** Lines in one second for calls that ended in an error, whatever `ACCESS_LOG_SAMPLE` says: callers cause them. */
export const ERROR_LINES_PER_SECOND_MAX = 10;
/** Of a text from the caller, in a line. */
const TEXT_CHARACTERS_MAX = 128;

/** What the lines are made with. */
export interface AccessLogOptions {
  readonly log: Log;
  /** The part of the calls that ended with OK that get a line, from 0 to 1. */
  readonly sample: number;
  /** Answers in [0, 1). */
  readonly random: () => number;
  /** A clock that runs forward, in ms. */
  readonly nowMs: () => number;
  /** Which trace a call belongs to. Absent: none does. */
  readonly traceOf?: ((carrier: object) => TraceFields | undefined) | undefined;
}

/** Writes the lines. */
export class AccessLog implements CallObserver {
  #secondBegan = -Infinity;
  #inSecond = 0;
  #leftOut = 0;

  constructor(private readonly options: AccessLogOptions) {}

  begin(): undefined {
    return undefined;
  }

  end(call: ObservedCall, carrier: object, { code, reason, actor }: CallEnd): void {
    const { log, sample, random, nowMs, traceOf } = this.options;
    const isAnswered = code === "OK";
    if (isAnswered ? random() >= sample : !this.#takesError()) return;
    const leftOut = isAnswered ? 0 : this.#leftOut;
    if (!isAnswered) this.#leftOut = 0;
    log.info({
      method: call.method,
      code,
      ...(reason === undefined ? {} : { reason }),
      ms: Math.round((nowMs() - call.startedAt) * 100) / 100,
      ...(actor === undefined ? {} : { actor: actor.slice(0, TEXT_CHARACTERS_MAX) }),
      peer: call.address,
      requestId: call.requestId ?? null,
      ...traceOf?.(carrier),
      ...(leftOut === 0 ? {} : { leftOut }),
    }, "call");
  }

  /** Whether the line of a call that ended in an error is one of those of this second. */
  #takesError(): boolean {
    const now = this.options.nowMs();
    if (now - this.#secondBegan >= 1000) {
      this.#secondBegan = now;
      this.#inSecond = 0;
    }
    if (this.#inSecond >= ERROR_LINES_PER_SECOND_MAX) {
      this.#leftOut++;
      return false;
    }
    this.#inSecond++;
    return true;
  }
}
