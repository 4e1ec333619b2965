/** Streams of changes of a store. */
import { DatabaseUnavailableError } from "../store/errors.ts";
import type { TailStore } from "../store/store.ts";
import type { Log } from "../telemetry/log.ts";
import type { PastReads } from "./catch_up.ts";
import { Watching, type WatchingParts } from "./watching.ts";

/** Streams, and what they read for themselves; without a store on PostgreSQL there is nothing to stream. */
export function openWatching(
  tail: TailStore | undefined,
  log: Log,
  times: Pick<WatchingParts, "ageMsMax" | "heartbeatMs">,
): { readonly watching: Watching; readonly past: PastReads } {
  const none = { scan: nothing, versions: nothing, isThere: nothing };
  const source = tail ??
    { ...none, identify: nothing, xids: nothing, writers: nothing, read: nothing, onCommitted: () => {} };
  const watching = new Watching({ source, log, random: Math.random, ...times });
  return { watching, past: tail?.past ?? none };
}

function nothing(): Promise<never> {
  return Promise.reject(new DatabaseUnavailableError("the store has no ledger to stream"));
}
