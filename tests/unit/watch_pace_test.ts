/** When a tailer reads again, and how its streams wait for what it brings. */
import { assert, assertEquals } from "@std/assert";
import { Bell } from "../../src/watch/bell.ts";
import { pauseMs } from "../../src/watch/tailer.ts";

const HOUR_MS = 3_600_000;

Deno.test("a lone change is read at once, and of many changes more are read together, less often", () => {
  assertEquals([0, 1, 50, 150, 2000].map((rows) => pauseMs(0, rows)), [50, 51, 100, 200, 200]);
});

Deno.test("whatever a read brought, the pause behind it is longer than the read by as much as without", () => {
  assertEquals([1, 20, 100, 500].map((tookMs) => pauseMs(tookMs, 10_000)), [199, 180, 400, 2000]);
  assertEquals([1, 20, 100, 500].map((tookMs) => pauseMs(tookMs, 0)), [49, 80, 400, 2000]);
});

Deno.test("a bell wakes by a ring, by one that came before, and by the time that is over", async () => {
  const bell = new Bell();
  bell.ring();
  await bell.wait(HOUR_MS);
  const waiting = bell.wait(HOUR_MS);
  bell.ring();
  await waiting;
  await bell.wait(1);
  await bell.wait(0);
  bell.close();
});

Deno.test("a wait ends at its own time, whatever the time of one that a ring has ended", async () => {
  for (const [first, second] of [[1, HOUR_MS], [HOUR_MS, 1]] as const) {
    const bell = new Bell();
    const rung = bell.wait(first);
    bell.ring();
    await rung;
    let isOver = false;
    const waiting = bell.wait(second).then(() => isOver = true);
    if (second === HOUR_MS) {
      // Behind the time of the first one: a timer that was begun later and is longer comes later.
      await new Promise((resolve) => setTimeout(resolve, 20));
      assert(!isOver, "it waits for more than that");
      bell.ring();
    }
    await waiting;
    bell.close();
  }
});

Deno.test("a stream that many changes come to waits for all of them with one timer", async () => {
  const original = globalThis.setTimeout;
  let timers = 0;
  globalThis.setTimeout = Object.assign((...args: Parameters<typeof setTimeout>) => {
    timers++;
    return original(...args);
  }, original);
  try {
    const bell = new Bell();
    for (let changes = 0; changes < 100; changes++) {
      const waiting = bell.wait(HOUR_MS);
      bell.ring();
      await waiting;
    }
    bell.close();
  } finally {
    globalThis.setTimeout = original;
  }
  assertEquals(timers, 1);
});
