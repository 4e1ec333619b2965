/** What is logged of a node: that it has no vote and why, and that it is back, within bounds. */
import type { Log } from "../../telemetry/log.ts";
import type { Standing } from "./standing.ts";

/** At most one line in this time that a node is away for the reason that was logged last, or for another one. */
const REPEAT_LOG_AFTER_MS = 60_000;
const OTHER_REASON_LOG_AFTER_MS = 5_000;

/** The news of one node. */
export class NodeNews {
  readonly #node: { readonly node: number; readonly address: string };
  readonly #log: Log;
  #reported: string | undefined;
  #loggedAtMs = -Infinity;

  constructor(node: number, address: string, log: Log) {
    this.#node = { node, address };
    this.#log = log;
  }

  /** Logs where the node stands now, if that is news. `nowMs` is of a clock that runs forward. */
  report({ state, reason }: Standing, nowMs: number): void {
    if (state === "up" && this.#reported !== undefined) {
      this.#log.info(this.#node, "Redis node is back");
      this.#reported = undefined;
    }
    if ((state !== "down" && state !== "refused") || reason === undefined) return;
    const pauseMs = reason === this.#reported ? REPEAT_LOG_AFTER_MS : OTHER_REASON_LOG_AFTER_MS;
    if (this.#reported !== undefined && nowMs - this.#loggedAtMs < pauseMs) return;
    this.#reported = reason;
    this.#loggedAtMs = nowMs;
    this.#log.warn({ ...this.#node, reason }, "Redis node has no vote");
  }
}
