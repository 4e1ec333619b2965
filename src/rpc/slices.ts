/** Long work of one call in short slices, so that others have their turn: the process has one thread. */
import { setImmediate as nextTurn } from "node:timers/promises";

/**
 * Longest time without a turn for others, in ms, beside what one item takes. The refusals of a batch of 1 MiB were
 * measured to take 3 s in one go.
 */
export const SLICE_MS = 20;

/** Does `work` for each item, in order. Throws what it throws, and the signal's reason once that aborts. */
export async function inSlices<T>(
  items: readonly T[],
  signal: AbortSignal,
  work: (item: T, index: number) => void,
): Promise<void> {
  let since = performance.now();
  for (const [index, item] of items.entries()) {
    work(item, index);
    if (performance.now() - since < SLICE_MS) continue;
    await nextTurn();
    signal.throwIfAborted();
    since = performance.now();
  }
}
