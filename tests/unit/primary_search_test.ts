/** Tests of the search for the host that takes writes: its states, and how often hosts are dialled for it. */
import { assertEquals, assertRejects } from "@std/assert";
import { DatabaseUnavailableError } from "../../src/store/errors.ts";
import { DIALS_A_SECOND_MAX, PrimarySearch } from "../../src/store/postgres/primary.ts";

/** A search over hosts of which `primary` takes writes, and what was dialled at which ms. */
function searchOver(hosts: readonly string[], primary?: number) {
  const state = { primary, nowMs: 0, dials: [] as number[], wait: undefined as Promise<void> | undefined };
  const search = new PrimarySearch({
    hosts,
    nowMs: () => state.nowMs,
    async look(index) {
      state.dials.push(state.nowMs);
      await state.wait;
      if (index !== state.primary) {
        throw new DatabaseUnavailableError("it takes no writes", { cause: new Error("why") });
      }
    },
  });
  return { search, state };
}

Deno.test("a single host is the one, and is never looked at", async () => {
  const { search, state } = searchOver(["a"]);
  assertEquals(await search.find(), 0);
  search.forget(0);
  assertEquals([await search.find(), state.dials.length], [0, 0]);
});

Deno.test("the host that takes writes is found wherever it stands, and then known", async () => {
  for (const primary of [0, 1, 2]) {
    const { search, state } = searchOver(["a", "b", "c"], primary);
    assertEquals([await search.find(), await search.find()], [primary, primary]);
    assertEquals([state.dials.length, search.isKnown(primary)], [3, true]);
  }
});

Deno.test("who asks while hosts are looked at waits for that, and one that is slow delays nobody", async () => {
  const { search, state } = searchOver(["a", "b"], 1);
  const latch = Promise.withResolvers<void>();
  state.wait = latch.promise;
  const asked = Promise.all([search.find(), search.find(), search.find()]);
  latch.resolve();
  assertEquals([await asked, state.dials.length], [[1, 1, 1], 2]);

  const slow = new PrimarySearch({
    hosts: ["silent", "b"],
    nowMs: () => 0,
    look: (index) => index === 0 ? new Promise(() => {}) : Promise.resolve(),
  });
  assertEquals(await slow.find(), 1);
});

Deno.test("while no host takes writes, all who ask are refused with the reasons, and hosts are dialled ten times a second", async () => {
  for (const hosts of [["a", "b"], ["a", "b", "c"], Array.from({ length: 10 }, (_, i) => `h${i}`)]) {
    const { search, state } = searchOver(hosts);
    for (; state.nowMs < 5000; state.nowMs += 10) {
      await assertRejects(() => search.find(), DatabaseUnavailableError, "no host takes writes (");
    }
    for (const from of state.dials) {
      const within = state.dials.filter((at) => at >= from && at < from + 1000).length;
      assertEquals(within <= DIALS_A_SECOND_MAX, true, `${within} dials in the second after ${from} ms`);
    }
    assertEquals(state.dials.length >= 4 * 0.9 * DIALS_A_SECOND_MAX, true, `${state.dials.length} dials in 5 s`);
    state.primary = 1;
    state.nowMs += 1000;
    assertEquals(await search.find(), 1);
  }
});

Deno.test("a host that is forgotten is looked for anew, at once; one that is not known is not forgotten", async () => {
  const { search, state } = searchOver(["a", "b"], 0);
  await search.find();
  state.nowMs += 1000;
  search.forget(1);
  assertEquals([search.isKnown(0), state.dials.length], [true, 2]);
  state.primary = 1;
  search.forget(0);
  assertEquals([await search.find(), state.dials.length], [1, 4]);
});
