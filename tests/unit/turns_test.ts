/**
 * Reading of large messages in turns: how much in one, and how long others are left alone with the loop behind a long
 * one.
 */
import { assertEquals } from "@std/assert";
import { LARGE_BYTES, LONG_TURN_MS, PAUSE_MS_MAX, TURN_BYTES, Turns } from "../../src/rpc/messages/turns.ts";

/** Turns on a clock that goes on by hand; `pass` is one turn of the loop that takes so long. */
function turnsByHand() {
  let nowMs = 0;
  let due: { readonly atMs: number; readonly then: () => void }[] = [];
  const turns = new Turns({
    nowMs: () => nowMs,
    later: (then, afterMs) => void due.push({ atMs: nowMs + afterMs, then }),
  });
  const read: string[] = [];
  return {
    read,
    take: (name: string, bytes: number) =>
      void turns.take(bytes, { address: "a", isOver: () => false }).then(() => read.push(name)),
    async pass(ms: number) {
      await Promise.resolve();
      nowMs += ms;
      const now = due.filter(({ atMs }) => atMs <= nowMs);
      due = due.filter(({ atMs }) => atMs > nowMs);
      for (const { then } of now) then();
      await Promise.resolve();
    },
  };
}

Deno.test("small messages are read at once, of large ones so many bytes in a turn", async () => {
  const { take, pass, read } = turnsByHand();
  take("a", TURN_BYTES - LARGE_BYTES);
  take("b", 2 * LARGE_BYTES);
  take("c", LARGE_BYTES + 1);
  take("small", LARGE_BYTES);
  await pass(1);
  assertEquals(read, ["a", "small", "b", "c"]);
});

Deno.test("behind a long turn the next waits for as long as that took, and not for longer than the maximum", async () => {
  const { take, pass, read } = turnsByHand();
  for (const name of ["a", "b", "c"]) take(name, TURN_BYTES);
  await pass(LONG_TURN_MS + 10);
  assertEquals(read, ["a"]);
  await pass(LONG_TURN_MS + 9);
  assertEquals(read, ["a"]);
  await pass(1);
  assertEquals(read, ["a", "b"]);
  await pass(10 * PAUSE_MS_MAX);
  await pass(PAUSE_MS_MAX - 1);
  assertEquals(read, ["a", "b"]);
  await pass(1);
  assertEquals(read, ["a", "b", "c"]);
});

Deno.test("behind a short turn the next comes at once", async () => {
  const { take, pass, read } = turnsByHand();
  for (const name of ["a", "b"]) take(name, TURN_BYTES);
  await pass(LONG_TURN_MS);
  assertEquals(read, ["a", "b"]);
});
