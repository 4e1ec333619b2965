/** How long calls took, by method and by what they came to. */
import { Distribution, SECONDS } from "./measures.ts";
import type { CallEnd, CallObserver, ObservedCall } from "./observer.ts";

/** Stands for all methods that are not served, whatever callers name. */
export const OTHER_METHODS = "_OTHER";

/** The durations of one method's calls that ended with one code. */
export interface CallDurations {
  readonly method: string;
  readonly code: string;
  readonly seconds: Distribution;
}

/** Measures the calls of one process. */
export class CallMeasures implements CallObserver {
  /** By method, then by code; there are as many as are served, and so many codes as gRPC has. */
  readonly #seconds = new Map<string, Map<string, Distribution>>();

  /** @param nowMs the clock of the calls' `startedAt` */
  constructor(private readonly nowMs: () => number) {}

  begin(): undefined {
    return undefined;
  }

  end({ method, startedAt }: ObservedCall, _carrier: object, { code }: CallEnd): void {
    this.#of(method, code).observeMs(this.nowMs() - startedAt);
  }

  unserved(): void {
    this.#of(OTHER_METHODS, "UNIMPLEMENTED").observe(0);
  }

  /** All that there were. */
  *durations(): Iterable<CallDurations> {
    for (const [method, byCode] of this.#seconds) {
      for (const [code, seconds] of byCode) yield { method, code, seconds };
    }
  }

  #of(method: string, code: string): Distribution {
    let byCode = this.#seconds.get(method);
    if (byCode === undefined) this.#seconds.set(method, byCode = new Map());
    let seconds = byCode.get(code);
    if (seconds === undefined) byCode.set(code, seconds = new Distribution(SECONDS));
    return seconds;
  }
}
