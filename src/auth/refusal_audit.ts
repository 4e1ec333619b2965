/**
 * Refused calls, for whoever looks after the server: each is counted by its reason, and has a line of log. Callers
 * cause these as often as they like, so that of a flood only some have one, with how many had none before it.
 */
import { TokenBucket } from "../base/token_bucket.ts";
import type { Log } from "../telemetry/log.ts";
import { REFUSAL_REASONS } from "./verifier.ts";

/** Lines at once, and the time in ms in which as many may be written again. */
const LINES_MAX = 20;
const REFILL_MS = 20_000;

/** Why a call was refused, or a stream ended: its identity is no longer good. */
export const AUDIT_REASONS = [...REFUSAL_REASONS, "right_missing", "unavailable", "stream_ended"] as const;
/** One of {@link AUDIT_REASONS}. */
export type AuditReason = typeof AUDIT_REASONS[number];

/** What of a refused call is worth a line; nothing of it is secret. */
export interface Refused {
  readonly reason: AuditReason;
  readonly method: string;
  readonly address: string;
  readonly requestId: string | undefined;
  /** Who calls, or says so: an id of a key, the name of an identity. */
  readonly who?: string | undefined;
  /** The right that is missing. */
  readonly right?: string;
}

/** Counts refused calls, and writes the lines of as many as there may be. */
export class RefusalAudit {
  readonly #counts = new Map<AuditReason, number>();
  readonly #lines: TokenBucket;
  #unlogged = 0;

  /** @param nowMs a clock that runs forward */
  constructor(private readonly log: Log, private readonly nowMs: () => number = () => performance.now()) {
    this.#lines = new TokenBucket(LINES_MAX, REFILL_MS, nowMs());
  }

  /** Refused calls by reason, since the start. */
  get counts(): ReadonlyMap<AuditReason, number> {
    return this.#counts;
  }

  /** Counts one, and writes its line where there may be one. */
  note(refused: Refused): void {
    this.#counts.set(refused.reason, (this.#counts.get(refused.reason) ?? 0) + 1);
    if (!this.#lines.take(this.nowMs())) {
      this.#unlogged++;
      return;
    }
    const unlogged = this.#unlogged === 0 ? {} : { unloggedBefore: this.#unlogged };
    this.#unlogged = 0;
    this.log.warn({ ...refused, ...unlogged }, "a call was refused");
  }
}
