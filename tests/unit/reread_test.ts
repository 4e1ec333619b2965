/** What stands in files that others replace: when it is read anew, how often, and what becomes of a read that fails. */
import { assertEquals } from "@std/assert";
import { Reread, REREAD_PAUSE_MS } from "../../src/base/reread.ts";

/** One whose file says `text`, on a clock of its own. */
function bench() {
  const said: string[] = [];
  const state = { text: "a", reads: 0, nowMs: 0 };
  const reread = new Reread<{ text: string }>({
    first: { text: "a" },
    read: () => {
      state.reads++;
      return state.text === "" ? Promise.reject(new Error("is empty")) : Promise.resolve({ text: state.text });
    },
    renewed: () => said.push(`now ${reread.current.text}`),
    failed: ({ message }) => said.push(message),
    nowMs: () => state.nowMs,
  });
  return { said, state, reread };
}

Deno.test("it is read when it did not do, once for all who ask, and not again at once", async () => {
  const { said, state, reread } = bench();
  const first = reread.current;
  assertEquals(await Promise.all([reread.isOther(first), reread.isOther(first)]), [false, false]);
  assertEquals(state.reads, 1);
  assertEquals(reread.current === first, true);

  state.text = "b";
  state.nowMs += REREAD_PAUSE_MS - 1;
  assertEquals([await reread.isOther(first), state.reads], [false, 1]);
  state.nowMs += 1;
  assertEquals(await Promise.all([reread.isOther(first), reread.isOther(first)]), [true, true]);
  assertEquals([state.reads, reread.current.text], [2, "b"]);
  // Who comes late with what was before needs no read.
  assertEquals([await reread.isOther(first), state.reads], [true, 2]);
  assertEquals(said, ["now b"]);
});

Deno.test("a read that fails leaves what was there before, and is news once", async () => {
  const { said, state, reread } = bench();
  const first = reread.current;
  for (const text of ["", "", "a", "", "c"]) {
    state.text = text;
    state.nowMs += REREAD_PAUSE_MS;
    assertEquals(await reread.isOther(first), text === "c");
  }
  assertEquals(said, ["is empty", "is empty", "now c"]);
});

Deno.test("a read that hangs delays who asks for a bounded time, and serves when it comes after all", async () => {
  const { promise, resolve } = Promise.withResolvers<string>();
  const reread = new Reread<string>({
    first: "a",
    read: () => promise,
    renewed: () => {},
    failed: () => {},
    nowMs: () => 0,
    readMsMax: 1,
  });
  assertEquals([await reread.isOther("a"), await reread.isOther("a")], [false, false]);
  resolve("b");
  assertEquals([await reread.isOther("a"), reread.current], [true, "b"]);
});
