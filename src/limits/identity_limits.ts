/**
 * What one identity may have: so many calls in a second, with so many more now and then, and so many under way. Kept in
 * this process alone.
 *
 * Rates are those of rate-limiter-flexible: counts in windows of time, which it forgets by itself when they end.
 */
import type * as library from "rate-limiter-flexible";
// From their own files: the whole library is 37, most of them for databases.
import BurstyLimiter from "rate-limiter-flexible/lib/BurstyRateLimiter.js";
import MemoryLimiter from "rate-limiter-flexible/lib/RateLimiterMemory.js";
import LimiterRes from "rate-limiter-flexible/lib/RateLimiterRes.js";
import { invariant } from "../base/invariant.ts";

const RateLimiterMemory: typeof library.RateLimiterMemory = MemoryLimiter;
const BurstyRateLimiter: typeof library.BurstyRateLimiter = BurstyLimiter;
const RateLimiterRes: typeof library.RateLimiterRes = LimiterRes;

/** The bounds for one identity. */
export interface IdentityBounds {
  /** Calls in one second; undefined: as many as come. */
  readonly callsPerSecondMax: number | undefined;
  /** Calls beyond those, in each {@link BURST_S}. */
  readonly burstCallsMax: number;
  /** Calls under way. */
  readonly callsMax: number;
}

/** The window of a burst, in seconds. */
const BURST_S = 10;
/** Identities whose rates are known at a time; of more the one is forgotten that has not called for the longest. */
const IDENTITIES_MAX = 10_000;

/** The calls of one identity that are under way, until there are none. */
class CallsUnderWay {
  calls = 0;

  constructor(private readonly ended: () => void) {}

  begin(): () => void {
    this.calls++;
    return this.end;
  }

  readonly end = (): void => {
    invariant(this.calls > 0, "a call ended of an identity that has none under way");
    if (--this.calls === 0) this.ended();
  };
}

/** Calls by identity. */
export class IdentityLimits {
  readonly #bounds: IdentityBounds;
  readonly #second: library.RateLimiterMemory | undefined;
  readonly #burst: library.RateLimiterMemory | undefined;
  readonly #rates: Pick<library.BurstyRateLimiter, "consume"> | undefined;
  /** Those that the limiters may know, by their latest call. */
  readonly #known = new Set<string>();
  readonly #underWay = new Map<string, CallsUnderWay>();

  constructor(bounds: IdentityBounds, private readonly identitiesMax = IDENTITIES_MAX) {
    this.#bounds = bounds;
    const { callsPerSecondMax, burstCallsMax } = bounds;
    if (callsPerSecondMax === undefined) return;
    this.#second = new RateLimiterMemory({ points: callsPerSecondMax, duration: 1, keyPrefix: "" });
    this.#burst = new RateLimiterMemory({ points: burstCallsMax, duration: BURST_S, keyPrefix: "" });
    this.#rates = new BurstyRateLimiter(this.#second, this.#burst);
  }

  /** Whether there is a rate at all. */
  get hasRate(): boolean {
    return this.#rates !== undefined;
  }

  /** Identities that have calls under way, and whose rates are known. */
  get view(): { readonly active: number; readonly known: number } {
    return { active: this.#underWay.size, known: this.#known.size };
  }

  /** Counts a call of the identity; undefined, or in how many ms the next one may be made. */
  async count(identity: string): Promise<number | undefined> {
    invariant(this.#rates !== undefined, "a call was counted where there is no rate");
    this.#know(identity);
    try {
      await this.#rates.consume(identity);
      return undefined;
    } catch (error) {
      if (error instanceof RateLimiterRes) return Math.max(1, error.msBeforeNext);
      throw error;
    }
  }

  /**
   * Takes a place for a call. Answers the function that frees it, to be called once, which is the same for all calls of
   * an identity that are under way together; undefined: there is none.
   */
  begin(identity: string): (() => void) | undefined {
    let underWay = this.#underWay.get(identity);
    if ((underWay?.calls ?? 0) >= this.#bounds.callsMax) return undefined;
    if (underWay === undefined) {
      underWay = new CallsUnderWay(() => this.#underWay.delete(identity));
      this.#underWay.set(identity, underWay);
    }
    return underWay.begin();
  }

  #know(identity: string): void {
    this.#known.delete(identity);
    this.#known.add(identity);
    if (this.#known.size <= this.identitiesMax) return;
    const [oldest] = this.#known;
    this.#known.delete(oldest!);
    void this.#second?.delete(oldest!);
    void this.#burst?.delete(oldest!);
  }
}
