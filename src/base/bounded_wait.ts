/** Waiting for what may never come. */
import { setTimeout as delay } from "node:timers/promises";

/** Waits for the promise, for `ms` at most; answers whether it was fulfilled by then. Rejects where it does. */
export async function settledWithin(promise: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<false>((resolve) => timer = setTimeout(() => resolve(false), ms));
  try {
    return await Promise.race([promise.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** As {@link settledWithin}, for a promise that may just as well be rejected: answers whether either came by then. */
export function settled(promise: Promise<unknown>, ms: number): Promise<boolean> {
  return settledWithin(promise.catch(() => {}), ms);
}

/** Waits so many ms, or until the signal aborts, whichever is first. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => {});
}

/** How often {@link until} looks, where nobody says otherwise. */
const LOOK_EVERY_MS = 20;

/**
 * Looks until `condition` is true, for what can only be looked at, such as a process or a file of another program;
 * every so many ms.
 *
 * @returns true as soon as it is, false when it was not within `msMax` milliseconds
 */
export async function until(
  condition: () => boolean | Promise<boolean>,
  msMax: number,
  everyMs = LOOK_EVERY_MS,
): Promise<boolean> {
  const deadline = performance.now() + msMax;
  while (!await condition()) {
    if (performance.now() >= deadline) return false;
    await delay(everyMs);
  }
  return true;
}
