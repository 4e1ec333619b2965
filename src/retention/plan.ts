/** What is to be done to keep movements for so long and no longer. Pure. */
import type { Period } from "../store/statements/retention/periods.ts";

/** How long movements are kept, in ms. */
export interface Window {
  /** None leaves before it is so old. */
  readonly keptMs: number;
  /** A period is written for so long: a movement leaves at most that much later. */
  readonly periodMs: number;
}

/** Steps, in this sequence. */
export interface Plan {
  /** Movements is one table yet. */
  readonly divides: boolean;
  /** The period that begins now; undefined: the one that is written goes on. */
  readonly begins: number | undefined;
  /** Periods that leave, the oldest first. */
  readonly drops: readonly number[];
}

/** What there is to do now. `periods` are those that there are, the oldest first; none: movements is one table. */
export function planRetention(nowMs: number, periods: readonly Period[], { keptMs, periodMs }: Window): Plan {
  const last = periods.at(-1);
  // The first one has all that there was, so it ends at once.
  const ends = last === undefined || nowMs - last.beganAtMs >= periodMs;
  // A period ended when the next one began.
  const drops = periods.filter((_, i) => i + 1 < periods.length && periods[i + 1]!.beganAtMs <= nowMs - keptMs);
  return {
    divides: last === undefined,
    begins: ends ? (last?.period ?? 1) + 1 : undefined,
    drops: drops.map(({ period }) => period),
  };
}
