/** Days of time zones: when they begin, also where clocks are changed at midnight, or leap over a day. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { dayOf, dayText, LAST_DAY, TimeZone } from "../../src/services/query/days.ts";

const HOUR_MS = 3_600_000;
const ZONES = [
  ...["UTC", "Asia/Shanghai", "Asia/Kathmandu", "America/New_York", "Europe/Berlin", "Africa/Cairo", "Asia/Beirut"],
  ...["America/Havana", "Pacific/Apia", "Pacific/Chatham", "Australia/Lord_Howe", "America/Sao_Paulo", "+05:30"],
];

const FORMATS = new Map(ZONES.map((timeZone) => [timeZone, new Intl.DateTimeFormat("sv-SE", { timeZone })]));

/** The day of a time, as the runtime writes dates. */
function written(ms: number, timeZone: string): string {
  return FORMATS.get(timeZone)!.format(ms);
}

Deno.test("a day begins with the first time that is written with its date", () => {
  const zones = new Map(ZONES.map((name) => [name, new TimeZone(name)]));
  fc.assert(
    fc.property(
      fc.constantFrom(...ZONES),
      fc.integer({ min: dayOf("2001-01-01")!, max: dayOf("2030-12-31")! }),
      (name, day) => {
        const zone = zones.get(name)!;
        const begin = zone.begin(day);
        // Samoa had no 30th of December 2011: what it would have begun with is the 31st.
        if (name !== "Pacific/Apia") assertEquals(written(begin, name), dayText(day));
        assert(written(begin - 1, name) < dayText(day), `${name} ${dayText(day)}`);
        assertEquals([zone.dayAt(begin) >= day, zone.dayAt(begin - 1) < day], [true, true]);
      },
    ),
    { numRuns: 500 },
  );
});

Deno.test("days on which clocks are changed are shorter or longer, and one may not be there at all", () => {
  const hours = (name: string, day: string) => {
    const zone = new TimeZone(name);
    return (zone.begin(dayOf(day)! + 1) - zone.begin(dayOf(day)!)) / HOUR_MS;
  };
  assertEquals(hours("America/New_York", "2026-03-08"), 23);
  assertEquals(hours("America/New_York", "2026-11-01"), 25);
  assertEquals(hours("Australia/Lord_Howe", "2026-04-05"), 24.5);
  // At midnight clocks go to one o'clock.
  assertEquals(hours("Africa/Cairo", "2026-04-24"), 23);
  assertEquals(hours("Pacific/Apia", "2011-12-30"), 0);
  assertEquals(hours("Asia/Shanghai", "2026-03-08"), 24);
});

Deno.test("a day is written in one form, from 1970 to 2254", () => {
  assertEquals([dayOf("1970-01-01"), dayOf("2026-01-31"), dayOf("2254-12-31")], [0, 20_484, LAST_DAY]);
  for (const text of ["1969-12-31", "2255-01-01", "2026-02-29", "2026-1-31", "2026-01-31T00:00Z", "2026-13-01", ""]) {
    assertEquals(dayOf(text), undefined, text);
  }
  assertEquals(dayText(dayOf("2024-02-29")!), "2024-02-29");
  for (const name of ["Mars/Olympus", "x".repeat(100), "Asia/Shanghai\0"]) {
    assertThrows(() => new TimeZone(name), RangeError);
  }
});
