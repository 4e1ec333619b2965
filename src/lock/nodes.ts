/**
 * The connections to the independent Redis nodes. Each command has a time limit, nothing queues up for a
 * node that is away, and a node that froze is dropped and dialled again.
 */
import { Redis } from "ioredis";
import { errorSummary, type Log } from "../telemetry/log.ts";

/** A node's connection that took nothing in for this many node timeouts is dropped. */
const FROZEN_AFTER_TIMEOUTS = 8;
/** Bounds of the random delay before dialling again. */
const REDIAL_MS_MIN = 50;
const REDIAL_MS_MAX = 1000;
/** At most one line in this time about the same node being away. */
const REPEAT_LOG_AFTER_MS = 60_000;

/**
 * Dials all nodes; never throws for a node that is away. `random` answers in [0, 1).
 */
export function connectNodes(urls: readonly string[], timeoutMs: number, random: () => number, log: Log): Redis[] {
  return urls.map((url, index) => {
    const node = new Redis(url, {
      connectionName: "holdfast",
      commandTimeout: timeoutMs,
      connectTimeout: timeoutMs * 2,
      socketTimeout: timeoutMs * FROZEN_AFTER_TIMEOUTS,
      maxRetriesPerRequest: 0,
      enableOfflineQueue: false,
      // A lease asked for on a connection that broke must not be asked for again on the next one: by then
      // nobody waits for the answer, and the key would stand until it expires.
      autoResendUnfulfilledCommands: false,
      retryStrategy: (times: number) => {
        const ceiling = Math.min(REDIAL_MS_MIN * 2 ** Math.min(times, 10), REDIAL_MS_MAX);
        return REDIAL_MS_MIN + random() * (ceiling - REDIAL_MS_MIN);
      },
    });
    watch(node, index + 1, log);
    return node;
  });
}

function watch(node: Redis, number: number, log: Log): void {
  let away = false;
  let loggedAtMs = -Infinity;
  node.on("ready", () => {
    if (away) log.info({ node: number }, "Redis node is back");
    away = false;
  });
  node.on("error", (error: Error) => {
    const nowMs = performance.now();
    if (away && nowMs - loggedAtMs < REPEAT_LOG_AFTER_MS) return;
    away = true;
    loggedAtMs = nowMs;
    log.warn({ node: number, error: errorSummary(error) }, "Redis node is away");
  });
}
