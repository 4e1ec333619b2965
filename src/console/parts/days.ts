/** Days as people choose them, in the reader's own time zone. Pure but for that zone. */

/** A day of the calendar, as a field of dates has it: 2026-01-31. Undefined where the text is none. */
export function dayOf(text: string | null): string | undefined {
  if (text === null || !/^\d{4}-\d{2}-\d{2}$/.test(text)) return undefined;
  const [year = 0, month = 0, day = 0] = text.split("-").map(Number);
  const date = new Date(year, month - 1, day);
  return date.getMonth() === month - 1 && date.getDate() === day ? text : undefined;
}

/** When a day begins here, in ms since 1970; `later`: so many days after it. */
export function dayStartMs(day: string, later = 0): number {
  const [year = 0, month = 0, date = 0] = day.split("-").map(Number);
  return new Date(year, month - 1, date + later).getTime();
}
