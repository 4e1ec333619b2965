/** What the log is told of a node: that it has no vote and why, and that it is back, within bounds. */
import type { Log } from "../../telemetry/log.ts";
import type { NodeState } from "../status.ts";

/** At most one line in this time that a node is away for the reason that was told last, or for another one. */
const REPEAT_LOG_AFTER_MS = 60_000;
const OTHER_REASON_LOG_AFTER_MS = 5_000;

/** Where a node stands, and why it has no vote; undefined if it has. */
export interface Standing {
  readonly state: NodeState;
  readonly reason: string | undefined;
}

/** The news of one node. */
export class NodeNews {
  readonly #node: { readonly node: number; readonly address: string };
  readonly #log: Log;
  #told: string | undefined;
  #loggedAtMs = -Infinity;

  constructor(node: number, address: string, log: Log) {
    this.#node = { node, address };
    this.#log = log;
  }

  /** Tells where the node stands now, if that is news. `nowMs` is of a clock that runs forward. */
  tell({ state, reason }: Standing, nowMs: number): void {
    if (state === "up" && this.#told !== undefined) {
      this.#log.info(this.#node, "Redis node is back");
      this.#told = undefined;
    }
    if (state !== "down" || reason === undefined) return;
    const pauseMs = reason === this.#told ? REPEAT_LOG_AFTER_MS : OTHER_REASON_LOG_AFTER_MS;
    if (this.#told !== undefined && nowMs - this.#loggedAtMs < pauseMs) return;
    this.#told = reason;
    this.#loggedAtMs = nowMs;
    this.#log.warn({ ...this.#node, reason }, "Redis node has no vote");
  }
}
