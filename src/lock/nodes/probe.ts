/**
 * Whether a node can vote: it is asked for a lease that nobody else wants, to extend it, and to release it, by the very
 * scripts that leases use. A node that answers everything else may still refuse those: it is out of memory or disk, a
 * replica, loading, or its user may not run scripts.
 */
import type { Scripted } from "../attempt.ts";
import { ACQUIRE_SCRIPT, EXTEND_SCRIPT, RELEASE_SCRIPT, scriptHash } from "../scripts.ts";

/** What is not released, as the connection was lost in between, stands for so long. */
const PROBE_TTL_MS = 5000;

const STEPS = [
  { script: ACQUIRE_SCRIPT, args: [PROBE_TTL_MS] },
  { script: EXTEND_SCRIPT, args: [PROBE_TTL_MS] },
  { script: RELEASE_SCRIPT, args: [] },
].map((step) => ({ ...step, hash: scriptHash(step.script) }));

/** It answered, and not what it was asked. */
export class WrongAnswerError extends Error {
  override name = "WrongAnswerError";
}

/**
 * Acquires, extends and releases `key`, which must be nobody's.
 *
 * Throws what the node says instead, and WrongAnswerError.
 */
export async function probeVote(node: Scripted, key: string): Promise<void> {
  for (const { script, hash, args } of STEPS) {
    const all = [key, key, ...args];
    const answer = await node.evalsha(hash, 1, all).catch((error: Error) => {
      // As with leases: a node that forgot the script gets it as text.
      if (error.message.startsWith("NOSCRIPT")) return node.eval(script, 1, all);
      throw error;
    });
    if (answer !== 1) throw new WrongAnswerError("it answers a question for a lease with something else");
  }
}

/** A node that nobody asks about is probed this long after the last time, or up to as much later. */
const PROBE_PAUSE_MS = 1000;

/** The probes of one node: one at a time, now and then, and whenever somebody asks. */
export class Probes {
  readonly #probe: () => Promise<string | undefined>;
  readonly #nowMs: () => number;
  readonly #timer: ReturnType<typeof setInterval>;
  #underWay: Promise<string | undefined> | undefined;
  #next: Promise<string | undefined> | undefined;
  #probedAtMs = -Infinity;

  /** `probe` never rejects; `nowMs` is a clock that runs forward. */
  constructor(probe: () => Promise<string | undefined>, nowMs: () => number) {
    this.#probe = probe;
    this.#nowMs = nowMs;
    this.#timer = setInterval(() => {
      if (nowMs() - this.#probedAtMs >= PROBE_PAUSE_MS) void this.ask();
    }, PROBE_PAUSE_MS);
  }

  /** What a probe comes to that begins now or later. */
  ask(): Promise<string | undefined> {
    if (this.#underWay === undefined) return this.#begin();
    // The one under way began before it was asked for, and may not see what is asked about.
    this.#next ??= this.#underWay.then(() => {
      this.#next = undefined;
      return this.#begin();
    });
    return this.#next;
  }

  /** No more of them by themselves; resolves when the one under way is over. Never rejects. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#underWay;
  }

  #begin(): Promise<string | undefined> {
    this.#underWay = this.#probe().finally(() => {
      this.#underWay = undefined;
      this.#probedAtMs = this.#nowMs();
    });
    return this.#underWay;
  }
}
