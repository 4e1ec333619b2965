/** Waiting for a goods that another process has: by looks, and for a bounded time. The timers are the test's. */
import { assertEquals } from "@std/assert";
import { lookDelayMs, lookedDelayMs } from "../../src/lanes/modes/retry_delay.ts";
import { untilFree } from "../../src/lanes/until_free.ts";

const DELAY_MS = 20;
/** With this every look comes after 2 ms. */
const HALF = 0.5;

/** A wait whose looks answer what the list says; "never": nothing comes back. */
function wait(...answers: readonly (boolean | "never" | Promise<boolean>)[]) {
  const clock = { nowMs: 0 };
  const timers = new Set<{ readonly run: () => void; readonly atMs: number }>();
  const seen: string[] = [];
  let looks = 0;
  const look = {
    delayMs: DELAY_MS,
    random: () => HALF,
    seemsFree() {
      seen.push(`look at ${clock.nowMs}`);
      const answer = answers[looks++] ?? false;
      return answer === "never" ? new Promise<boolean>(() => {}) : Promise.resolve(answer);
    },
  };
  untilFree(look, (seenFree) => seen.push(`${seenFree ? "free" : "over"} at ${clock.nowMs}`), (run, ms) => {
    const timer = { run, atMs: clock.nowMs + ms };
    timers.add(timer);
    return () => timers.delete(timer);
  });
  return {
    seen,
    timers,
    /** Has all timers go off that are due by then, and their looks answered. */
    async pass(untilMs: number) {
      for (;;) {
        const [next] = [...timers].sort((a, b) => a.atMs - b.atMs);
        if (next === undefined || next.atMs > untilMs) break;
        timers.delete(next);
        clock.nowMs = next.atMs;
        next.run();
        await Promise.resolve().then(() => {});
      }
    },
  };
}

Deno.test("the wait is over at the first look that finds the goods free, and nothing is left behind", async () => {
  const { seen, timers, pass } = wait(false, false, true);
  await pass(100);
  assertEquals(seen, ["look at 2", "look at 4", "look at 6", "free at 6"]);
  assertEquals(timers.size, 0);
});

Deno.test("where no look says so it is over after its time, once", async () => {
  const { seen, timers, pass } = wait();
  await pass(100);
  assertEquals([seen.length, seen.at(-2), seen.at(-1)], [10, "look at 18", "over at 20"]);
  assertEquals(timers.size, 0);
});

Deno.test("a node that does not answer is not asked again, and keeps nobody waiting for longer", async () => {
  const { seen, timers, pass } = wait(false, "never", true);
  await pass(100);
  assertEquals(seen, ["look at 2", "look at 4", "over at 20"]);
  assertEquals(timers.size, 0);
});

Deno.test("what a node says when the wait is over is no reason to look again", async () => {
  for (const answer of [false, true]) {
    const late = Promise.withResolvers<boolean>();
    const { seen, timers, pass } = wait(late.promise);
    await pass(100);
    late.resolve(answer);
    await new Promise((resolve) => setTimeout(resolve, 0));
    assertEquals(seen, ["look at 2", "over at 20"]);
    assertEquals(timers.size, 0);
  }
});

Deno.test("who looks looks often, at random, and asks in any case before its hint is forgotten", () => {
  for (const random of [0, 0.3, 0.999]) {
    assertEquals([lookDelayMs(random) >= 1, lookDelayMs(random) <= 3], [true, true]);
    assertEquals([lookedDelayMs(random) >= 16, lookedDelayMs(random) <= 24], [true, true]);
  }
  assertEquals([lookDelayMs(0) < lookDelayMs(0.9), lookedDelayMs(0) < lookedDelayMs(0.9)], [true, true]);
});
