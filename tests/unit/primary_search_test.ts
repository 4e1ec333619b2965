/** Tests of the search for the host that takes writes: its states, and how often hosts are dialled for it. */
import { assertEquals, assertRejects } from "@std/assert";
import { DatabaseUnavailableError, ReadOnlyServerError, takesNoWrites } from "../../src/store/errors.ts";
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

Deno.test("a single host is the one, and is looked at first, and when a connection to it has ended", async () => {
  const { search, state } = searchOver(["a"], 0);
  assertEquals([await search.find(), await search.find(), state.dials.length], [0, 0, 1]);
  for (const lost of [() => search.doubt(0), () => search.forget(0)]) {
    const before = state.dials.length;
    lost();
    assertEquals(search.isKnown(0), true);
    assertEquals([await search.find(), await search.find(), state.dials.length], [0, 0, before + 1]);
  }
});

Deno.test("a host that is doubted is the one for connections that are there, and is looked at for new ones", async () => {
  const { search, state } = searchOver(["a", "b"], 0);
  await search.find();
  search.doubt(1);
  assertEquals([await search.find(), state.dials.length], [0, 2]);
  search.doubt(0);
  assertEquals(search.isKnown(0), true);
  state.primary = 1;
  assertEquals([await search.find(), search.isKnown(0), state.dials.length], [1, false, 4]);
});

Deno.test("a connection that ends while hosts are looked at has them looked at once more", async () => {
  const { search, state } = searchOver(["a"], 0);
  const latch = Promise.withResolvers<void>();
  state.wait = latch.promise;
  const asked = search.find();
  search.doubt(0);
  latch.resolve();
  assertEquals([await asked, await search.find(), state.dials.length], [0, 0, 2]);
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
});

Deno.test("who asks while hosts are looked at once more, as none took writes, is refused at once", async () => {
  const { search, state } = searchOver(["a", "b"]);
  await assertRejects(() => search.find(), DatabaseUnavailableError);
  const latch = Promise.withResolvers<void>();
  state.wait = latch.promise;
  state.primary = 1;
  state.nowMs += 1000;
  const first = search.find();
  await assertRejects(() => search.find(), DatabaseUnavailableError, "no host takes writes");
  latch.resolve();
  assertEquals([await first, await search.find(), state.dials.length], [1, 1, 4]);
});

Deno.test("a host that never answers delays nobody: another is found, or who asks is refused in time", async () => {
  let primary = -1;
  let dials = 0;
  const slow = new PrimarySearch({
    hosts: ["silent", "b"],
    nowMs: () => 1000 * dials,
    answerMsMax: 20,
    look(index) {
      dials++;
      if (index === 0) return new Promise(() => {});
      return index === primary ? Promise.resolve() : Promise.reject(new DatabaseUnavailableError("it takes no writes"));
    },
  });
  await assertRejects(() => slow.find(), DatabaseUnavailableError, "silent: no answer within 20 ms; b: it takes no");
  primary = 1;
  assertEquals(await slow.find(), 1);
  let looks = 0;
  const only = new PrimarySearch({
    hosts: ["silent"],
    nowMs: () => 0,
    answerMsMax: 20,
    look: () => looks++ === 0 ? Promise.resolve() : new Promise(() => {}),
  });
  await only.find();
  only.forget(0);
  await Promise.all([1, 2].map(() => assertRejects(() => only.find(), DatabaseUnavailableError, "no answer within")));
  // The limit of its last look, whose end nobody waits for.
  await new Promise((resolve) => setTimeout(resolve, 20));
});

Deno.test("a host that answers late is heard all the same, and is not dialled twice at a time", async () => {
  const late = Promise.withResolvers<void>();
  let dials = 0;
  let nowMs = 0;
  const search = new PrimarySearch({
    hosts: ["late", "b"],
    nowMs: () => nowMs,
    answerMsMax: 20,
    look(index) {
      if (index === 1) return Promise.reject(new DatabaseUnavailableError("it takes no writes"));
      dials++;
      return late.promise;
    },
  });
  for (const _ of [1, 2]) {
    await assertRejects(() => search.find(), DatabaseUnavailableError, "no answer within");
    nowMs += 1000;
  }
  late.resolve();
  await late.promise;
  await Promise.resolve();
  assertEquals([await search.find(), search.isKnown(0), dials], [0, true, 1]);
});

Deno.test("where all hosts only read, the error says so; where one can't be asked, it may be the one", async () => {
  const failingWith = (failures: readonly Error[]) =>
    new PrimarySearch({
      hosts: failures.map((_, i) => `h${i}`),
      nowMs: () => 0,
      look: (index) => Promise.reject(failures[index]),
    });
  const standby = takesNoWrites(true);
  const away = new DatabaseUnavailableError("ECONNREFUSED");
  await assertRejects(() => failingWith([standby]).find(), ReadOnlyServerError, "takes no writes: it is a standby");
  await assertRejects(() => failingWith([standby, takesNoWrites(false)]).find(), ReadOnlyServerError, "set to read");
  const error = await failingWith([standby, away]).find().catch((error) => error);
  assertEquals([error.name, error.message.includes("h1: ECONNREFUSED")], ["DatabaseUnavailableError", true]);
});

Deno.test("while no host takes writes, all who ask are refused with the reasons, and hosts are dialled ten times a second", async () => {
  for (const hosts of [["a"], ["a", "b"], ["a", "b", "c"], Array.from({ length: 10 }, (_, i) => `h${i}`)]) {
    const { search, state } = searchOver(hosts);
    for (; state.nowMs < 5000; state.nowMs += 10) {
      const words = hosts.length === 1 ? "it takes no writes" : "no host takes writes (";
      await assertRejects(() => search.find(), DatabaseUnavailableError, words);
    }
    for (const from of state.dials) {
      const within = state.dials.filter((at) => at >= from && at < from + 1000).length;
      assertEquals(within <= DIALS_A_SECOND_MAX, true, `${within} dials in the second after ${from} ms`);
    }
    assertEquals(state.dials.length >= 5 * 0.6 * DIALS_A_SECOND_MAX, true, `${state.dials.length} dials in 5 s`);
    state.primary = hosts.length - 1;
    state.nowMs += 1000;
    assertEquals(await search.find(), hosts.length - 1);
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
