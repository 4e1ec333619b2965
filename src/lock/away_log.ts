/** What the log is told of a node that comes and goes: not each time, and when it is back. */
import type { Log } from "../telemetry/log.ts";
import type { NodeState } from "./status.ts";

/** At most one line in this time that a node is away for the reason that was told last, or for another one. */
const REPEAT_LOG_AFTER_MS = 60_000;
const OTHER_REASON_LOG_AFTER_MS = 5_000;

/** The lines about one node. */
export class AwayLog {
  readonly #node: { readonly node: number; readonly address: string };
  readonly #log: Log;
  readonly #nowMs: () => number;
  /** The reason that was logged last; undefined: it is not away. */
  #told: string | undefined;
  #loggedAtMs = -Infinity;

  /** `node` is its number, `address` without its password; `nowMs` a clock that runs forward. */
  constructor(node: number, address: string, log: Log, nowMs: () => number) {
    this.#node = { node, address };
    this.#log = log;
    this.#nowMs = nowMs;
  }

  /** Where the node stands now, and why it has no vote. A node in quarantine is neither away nor back. */
  tell(state: NodeState, reason: string | undefined): void {
    if (state === "up" && this.#told !== undefined) {
      this.#log.info(this.#node, "Redis node is back");
      this.#told = undefined;
    }
    if (state !== "down" || reason === undefined) return;
    const sinceMs = this.#nowMs() - this.#loggedAtMs;
    const pauseMs = reason === this.#told ? REPEAT_LOG_AFTER_MS : OTHER_REASON_LOG_AFTER_MS;
    if (this.#told !== undefined && sinceMs < pauseMs) return;
    this.#told = reason;
    this.#loggedAtMs = this.#nowMs();
    this.#log.warn({ ...this.#node, reason }, "Redis node has no vote");
  }
}
