/** How long a batch that failed waits before it goes again. Pure. */

/** Bounds of the random pause, in ms; the upper one doubles up to the maximum. */
const PAUSE_MS_FIRST = 2;
const PAUSE_MS_MAX = 50;

/** The pause before the attempt of this number, from 2; `random` is in [0, 1). */
export function attemptPauseMs(attempt: number, random: number): number {
  return random * Math.min(PAUSE_MS_FIRST * 2 ** (attempt - 2), PAUSE_MS_MAX);
}
