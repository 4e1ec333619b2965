/** When it is said that a certificate expires. Pure. */

const DAY_MS = 24 * 3600 * 1000;
/**
 * From so many days before its end on it is said, once a day; of one that lives for a short time, in its last third.
 */
const WARN_DAYS = 14;

/** Pause between two words about it. */
export const REMIND_EVERY_MS = DAY_MS;

/** Days until the end, rounded down; negative after it. */
export function daysLeft(validToMs: number, nowMs: number): number {
  return Math.floor((validToMs - nowMs) / DAY_MS);
}

/** Whether the end is so near that it is said. */
export function isEndNear(
  { validFromMs, validToMs }: { validFromMs: number; validToMs: number },
  nowMs: number,
): boolean {
  return validToMs - nowMs < Math.min(WARN_DAYS * DAY_MS, (validToMs - validFromMs) / 3);
}
