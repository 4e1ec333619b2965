/** Who of the workers is silent for too long, look by look. */
import { assertEquals } from "@std/assert";
import { HEARTBEAT_EVERY_MS, HEARTBEAT_MS_MAX, Silence } from "../../src/workers/heartbeat.ts";

const LOOKS_MAX = 3;

/** Looks so many times, and answers who was silent for too long at each. */
function looks(silence: Silence, count: number): number[][] {
  return Array.from({ length: count }, () => silence.look());
}

Deno.test("a worker is silent for too long at the last of the looks in a row, and that is said once", () => {
  const silence = new Silence(LOOKS_MAX);
  silence.watch(1);
  assertEquals(looks(silence, LOOKS_MAX + 2), [[], [], [1], [], []]);
});

Deno.test("one sign between two looks is enough, however many looks there are", () => {
  const silence = new Silence(LOOKS_MAX);
  silence.watch(1);
  silence.watch(2);
  const silent = Array.from({ length: 10 * LOOKS_MAX }, () => {
    silence.heard(1);
    return silence.look();
  });
  assertEquals(silent.flat(), [2]);
  silence.heard(1);
  assertEquals(looks(silence, LOOKS_MAX), [[], [], [1]]);
});

Deno.test("nothing is expected of a worker that does not listen yet, or not any more", () => {
  const silence = new Silence(LOOKS_MAX);
  silence.heard(1);
  assertEquals(looks(silence, 2 * LOOKS_MAX).flat(), []);
  silence.watch(1);
  looks(silence, LOOKS_MAX - 1);
  silence.forget(1);
  silence.heard(1);
  assertEquals(looks(silence, 2 * LOOKS_MAX).flat(), []);
  // Started again, it is at the beginning.
  silence.watch(1);
  assertEquals(looks(silence, LOOKS_MAX), [[], [], [1]]);
});

Deno.test("a few signs in a row may be late", () => {
  assertEquals(HEARTBEAT_MS_MAX >= 5 * HEARTBEAT_EVERY_MS, true);
});
