/** How long calls took, by method and by what they came to. */
import { type Distribution, PairDistributions, SECONDS } from "./measures.ts";
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
  readonly #seconds = new PairDistributions(SECONDS);

  /** @param nowMs the clock of the calls' `startedAt` */
  constructor(private readonly nowMs: () => number) {}

  begin(): undefined {
    return undefined;
  }

  end({ method, startedAt }: ObservedCall, _carrier: object, { code }: CallEnd): void {
    this.#seconds.of(method, code).observeMs(this.nowMs() - startedAt);
  }

  unserved(): void {
    this.#seconds.of(OTHER_METHODS, "UNIMPLEMENTED").observe(0);
  }

  /** All that there were. */
  durations(): CallDurations[] {
    return this.#seconds.all.map(([method, code, seconds]) => ({ method, code, seconds }));
  }
}
