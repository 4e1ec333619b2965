/** The slices that all calls share, with a clock and turns of the test's own. */
import { inSlices, LARGE_ITEMS, SHARE_MS, SLICE_MS, Slicer } from "../../src/rpc/time_slices.ts";
import { assert, assertEquals, assertRejects } from "@std/assert";

const NEVER = new AbortController().signal;
const numbers = (count: number) => Array.from({ length: count }, (_, i) => i);

/** Turns that come when the test says so; and what was done in each, by name. */
class TestTurns {
  clockMs = 0;
  readonly done: string[][] = [[]];
  #then: (() => void)[] = [];

  nowMs(): number {
    return this.clockMs;
  }

  next(then: () => void): void {
    this.#then.push(then);
  }

  /** Work of a call where each item takes `ms`. */
  work(name: string, ms: number): () => void {
    return () => {
      this.clockMs += ms;
      this.done.at(-1)!.push(name);
    };
  }

  /** One turn of the loop. Answers false where nobody asked for one. */
  async turn(): Promise<boolean> {
    // What was awaited goes on first.
    for (let i = 0; i < 10; i++) await Promise.resolve();
    const asked = this.#then.splice(0);
    assert(asked.length <= 1, "one turn is asked for once");
    if (asked.length > 0) this.done.push([]);
    asked.forEach((then) => then());
    return asked.length > 0;
  }

  async all(turnsMax = 1000): Promise<void> {
    for (let i = 0; i < turnsMax; i++) if (!await this.turn()) return;
    throw new Error("it does not come to its end");
  }
}

Deno.test("however many calls have work, a turn has one slice of it in all", async () => {
  const turns = new TestTurns();
  const slicer = new Slicer(turns);
  const calls = numbers(20).map((i) => slicer.run(numbers(50), NEVER, turns.work(`call ${i}`, SHARE_MS / 2)));
  await turns.all();
  await Promise.all(calls);
  assertEquals(turns.done.flat().length, 20 * 50);
  const itemsMax = SLICE_MS / (SHARE_MS / 2);
  assertEquals(turns.done.filter((items) => items.length > itemsMax), []);
});

Deno.test("a call that comes late in a turn gets what is left of its slice, and not one of its own", async () => {
  const turns = new TestTurns();
  const slicer = new Slicer(turns);
  const first = slicer.run([0], NEVER, turns.work("first", SHARE_MS));
  const items = SLICE_MS / SHARE_MS;
  const second = slicer.run(numbers(items), NEVER, turns.work("second", SHARE_MS));
  assertEquals(turns.done, [["first", ...Array(items - 1).fill("second")]]);
  await turns.all();
  await Promise.all([first, second]);
  assertEquals(turns.done[1], ["second"]);
});

Deno.test("a small batch does not wait for the huge ones before it", async () => {
  const turns = new TestTurns();
  const slicer = new Slicer(turns);
  const huge = numbers(3).map((i) => slicer.run(numbers(1000), NEVER, turns.work(`huge ${i}`, SHARE_MS)));
  let isDone = false;
  const small = slicer.run([0], NEVER, turns.work("small", SHARE_MS)).then(() => isDone = true);
  await turns.turn();
  await small;
  assertEquals([isDone, turns.done.length], [true, 2]);
  await turns.all();
  await Promise.all(huge);
});

Deno.test("the work of one call is done in order, each item once, and items that take no time in one turn", async () => {
  const turns = new TestTurns();
  const slicer = new Slicer(turns);
  const seen: string[] = [];
  await slicer.run(["a", "b", "c"], NEVER, (item, index) => seen.push(`${index}${item}`));
  assertEquals([seen, turns.done.length], [["0a", "1b", "2c"], 1]);
  await slicer.run([], NEVER, () => assert(false, "there is nothing to do"));
});

Deno.test("no two large batches end in one turn: each has its answer to write", async () => {
  const turns = new TestTurns();
  const slicer = new Slicer(turns);
  const ends: number[] = [];
  const calls = numbers(3).map((i) =>
    slicer.run(numbers(8), NEVER, turns.work(`${i}`, SHARE_MS / 2)).then(() => ends.push(turns.done.length))
  );
  await turns.all();
  await Promise.all(calls);
  assertEquals(new Set(ends).size, 3, ends.join());
});

Deno.test("nor do two of many items that take no time", async () => {
  const turns = new TestTurns();
  const slicer = new Slicer(turns);
  const calls = ["a", "b", "c"].map((name) => slicer.run(numbers(LARGE_ITEMS + 1), NEVER, turns.work(name, 0)));
  const small = ["d", "e"].map((name) => slicer.run(numbers(LARGE_ITEMS), NEVER, turns.work(name, 0)));
  await turns.all();
  await Promise.all([...calls, ...small]);
  assertEquals(turns.done.map((items) => [...new Set(items)].join("")), ["a", "b", "c", "de"]);
});

Deno.test("an ended call's work leaves at once, between two slices and within one", async () => {
  const turns = new TestTurns();
  const slicer = new Slicer(turns);
  const [waiting, working] = [new AbortController(), new AbortController()];
  const other = slicer.run(numbers(20), NEVER, turns.work("other", SHARE_MS));
  const left = slicer.run(numbers(20), waiting.signal, turns.work("left", SHARE_MS));
  waiting.abort(new Error("gone"));
  // Before any turn has passed.
  await assertRejects(() => left, Error, "gone");
  const seen: number[] = [];
  const ending = slicer.run(numbers(20), working.signal, (item) => {
    seen.push(item);
    working.abort(new Error("gone as well"));
  });
  await Promise.all([assertRejects(() => ending, Error, "gone as well"), turns.all()]);
  await other;
  assertEquals([seen, turns.done.flat().includes("left")], [[0], false]);
  const late = slicer.run([0], working.signal, () => assert(false, "its call has ended"));
  await assertRejects(() => late, Error, "gone as well");
});

Deno.test("work that fails ends its own call, and the others go on", async () => {
  const turns = new TestTurns();
  const slicer = new Slicer(turns);
  const failing = slicer.run([0, 1], NEVER, () => {
    turns.clockMs += SHARE_MS;
    throw new TypeError("a bug");
  });
  const other = slicer.run([0, 1], NEVER, turns.work("other", SHARE_MS));
  await Promise.all([assertRejects(() => failing, TypeError, "a bug"), turns.all()]);
  await other;
  assertEquals(turns.done.flat(), ["other", "other"]);
});

Deno.test("in the process's slices others have their turn between two long items", async () => {
  const seen: string[] = [];
  setTimeout(() => seen.push("another"), 0);
  await inSlices(["first", "second", "third"], NEVER, (item) => {
    const untilMs = performance.now() + SLICE_MS + 1;
    while (performance.now() < untilMs);
    seen.push(item);
  });
  assertEquals(seen.filter((name) => name !== "another"), ["first", "second", "third"]);
  assertEquals(seen.includes("another") && seen.at(-1) === "third", true, seen.join());
});
