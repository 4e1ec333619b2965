/** Days of a time zone: what they are called, and when they begin. Pure, by the time zones that the runtime knows. */

const DAY_MS = 24 * 3_600_000;
/** Days since 1970 of the last that is known: from 2255 on a number does not say microseconds exactly. */
export const LAST_DAY = Date.UTC(2254, 11, 31) / DAY_MS;
const DAY = /^\d{4}-\d{2}-\d{2}$/;
/** Characters of the longest name of a time zone, and some. */
const NAME_CHARACTERS_MAX = 64;

/** Days since 1970 of a day as `2026-01-31`; undefined for what is none, and beyond the years 1970 to 2254. */
export function dayOf(text: string): number | undefined {
  const day = DAY.test(text) ? Date.parse(`${text}T00:00:00Z`) / DAY_MS : NaN;
  return day >= 0 && day <= LAST_DAY && dayText(day) === text ? day : undefined;
}

/** The same the other direction: from days since 1970 to text. */
export function dayText(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}

/** A time zone, of which any number of times is asked. */
export class TimeZone {
  readonly #format: Intl.DateTimeFormat;

  /** @param name as in the time zone database @throws RangeError for what is none */
  constructor(name: string) {
    if (name.length > NAME_CHARACTERS_MAX) throw new RangeError("a name of that length");
    this.#format = new Intl.DateTimeFormat("en-US", {
      timeZone: name,
      calendar: "gregory",
      hourCycle: "h23",
      ...{ year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric" },
    });
  }

  /** On which day a time is, in days since 1970. */
  dayAt(ms: number): number {
    return Math.floor((ms + this.#offsetMs(ms)) / DAY_MS);
  }

  /**
   * When a day begins, in ms since 1970: the first time that is on it, or, where clocks leap over all of it, on a later
   * one.
   */
  begin(day: number): number {
    const utcMs = day * DAY_MS;
    const [before, after] = [this.#offsetMs(utcMs - DAY_MS), this.#offsetMs(utcMs + DAY_MS)];
    if (before === after) return utcMs - before;
    // Clocks are changed near by. Offsets are less than a day, so the begin is between these two.
    let low = utcMs - DAY_MS;
    let high = utcMs + DAY_MS;
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (this.dayAt(middle) < day) low = middle;
      else high = middle;
    }
    return high;
  }

  /** What its clocks are ahead of UTC. */
  #offsetMs(ms: number): number {
    const secondMs = Math.floor(ms / 1000) * 1000;
    const part = Object.fromEntries(
      this.#format.formatToParts(secondMs).map(({ type, value }) => [type, Number(value)]),
    );
    return Date.UTC(part.year!, part.month! - 1, part.day!, part.hour!, part.minute!, part.second!) - secondMs;
  }
}
