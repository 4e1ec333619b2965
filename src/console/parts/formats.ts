/** Numbers and times in the reader's locale. Pure but for the locale, which is passed in. */

/** Formatters of one locale, made once: each costs more than a frame's worth of rows. */
const kept = new Map<string, Formats>();

/** What texts are made with. */
export interface Formats {
  /** 1234567 as "1,234,567". */
  number(value: number): string;
  /** The same with its sign: "+5", "−3", "0". */
  signed(value: number): string;
  /** How long ago, or in how long: "5 minutes ago", "in 2 hours", "yesterday"; "now" within some seconds. */
  relative(atMs: number, nowMs: number): string;
  /** Date and time, to the second. */
  time(atMs: number): string;
}

const UNITS: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ["year", 365 * 86_400_000],
  ["month", 30 * 86_400_000],
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1000],
];
/** Within so many ms it is now: a second more or less is noise. */
const NOW_MS = 5000;

/** The formatters of a locale, as {@link locale} of the page's language names it. */
export function formatsOf(locale: string): Formats {
  const known = kept.get(locale);
  if (known !== undefined) return known;
  const number = new Intl.NumberFormat(locale);
  const signed = new Intl.NumberFormat(locale, { signDisplay: "exceptZero" });
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });
  const time = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "medium" });
  const formats: Formats = {
    number: (value) => number.format(value),
    signed: (value) => signed.format(value),
    relative: (atMs, nowMs) => {
      const awayMs = atMs - nowMs;
      const [unit, ms] = UNITS.find(([, unitMs]) => Math.abs(awayMs) >= unitMs) ?? ["second", 1000];
      const count = Math.abs(awayMs) < NOW_MS ? 0 : Math.trunc(awayMs / ms);
      return relative.format(count === 0 ? 0 : count, count === 0 ? "second" : unit);
    },
    time: (atMs) => time.format(atMs),
  };
  kept.set(locale, formats);
  return formats;
}
