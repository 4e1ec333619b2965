/** How far the server's clock is ahead of the browser's, from what answers say by the second. */
import { assert, assertEquals } from "@std/assert";
import { ServerClock } from "../../src/console/link/server_clock.ts";

const START_MS = Date.UTC(2026, 10, 29, 12);

/** What `Date` says at that time. */
function dateAt(ms: number): string {
  return new Date(ms).toUTCString();
}

/** Answers to calls that were sent at these times of a browser that is `aheadMs` behind, and took so long. */
function noted(clock: ServerClock, aheadMs: number, sentMs: readonly number[], tookMs = 40): void {
  for (const ms of sentMs) clock.note(dateAt(ms + aheadMs + tookMs / 2), ms, ms + tookMs);
}

Deno.test("a clock that may be right is taken for right", () => {
  const clock = new ServerClock();
  assertEquals(clock.aheadMs, 0);
  noted(clock, 0, [0, 1234, 2900, 7777].map((ms) => START_MS + ms));
  assertEquals(clock.aheadMs, 0);
});

Deno.test("of one that is wrong each answer narrows by how much, to far less than a second", () => {
  for (const aheadMs of [-3 * 3600_000 - 123, -1500, 1500, 86_400_777]) {
    const clock = new ServerClock();
    noted(clock, aheadMs, [START_MS]);
    assert(Math.abs(clock.aheadMs - aheadMs) <= 540, `${clock.aheadMs} for ${aheadMs}`);
    noted(clock, aheadMs, Array.from({ length: 20 }, (_, i) => START_MS + 1000 + i * 1370));
    assert(Math.abs(clock.aheadMs - aheadMs) <= 70, `${clock.aheadMs} for ${aheadMs}`);
  }
});

Deno.test("an answer that took long says little, and spoils nothing", () => {
  const clock = new ServerClock();
  noted(clock, 60_000, [START_MS]);
  const { aheadMs } = clock;
  noted(clock, 60_000, [START_MS + 1000], 20_000);
  assertEquals(clock.aheadMs, aheadMs);
});

Deno.test("a clock that is set, here or there, is known again by the next answer", () => {
  const clock = new ServerClock();
  noted(clock, 60_000, [START_MS, START_MS + 500]);
  noted(clock, -60_000, [START_MS + 1000]);
  assert(Math.abs(clock.aheadMs + 60_000) <= 540, `${clock.aheadMs}`);
});

Deno.test("an answer without a time, or with none that can be read, says nothing", () => {
  const clock = new ServerClock();
  for (const date of [null, "", "soon"]) clock.note(date, START_MS, START_MS + 10);
  assertEquals(clock.aheadMs, 0);
});
