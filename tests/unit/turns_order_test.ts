import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import fc from "fast-check";
import { LARGE_BYTES, TURN_BYTES, Turns } from "../../src/rpc/messages/turns.ts";

/** Somebody whose call goes on. */
const READER = { address: "a", isOver: () => false };

/** Turns of a loop that goes on when the test says so. */
function testLoop() {
  const asked: (() => void)[] = [];
  const turns = new Turns({ nowMs: () => 0, later: (then) => void asked.push(then) });
  /** Answers false where nobody asked for a turn. */
  const next = async () => {
    await settled();
    assertLessOrEqual(asked.length, 1);
    const then = asked.pop();
    then?.();
    await settled();
    return then !== undefined;
  };
  return { turns, next };
}

async function settled(): Promise<void> {
  for (let i = 0; i < 5; i++) await Promise.resolve();
}

Deno.test("no turn has more bytes than its own, unless one message alone has; in order, each once, and then it is quiet", async () => {
  const sizes = fc.array(
    fc.oneof(fc.integer({ min: LARGE_BYTES + 1, max: TURN_BYTES }), fc.integer({ min: 1, max: 400_000 })),
    {
      minLength: 1,
      maxLength: 30,
    },
  );
  await fc.assert(fc.asyncProperty(sizes, async (messages) => {
    const { turns, next } = testLoop();
    const read: number[][] = [[]];
    messages.forEach((bytes, i) => void turns.take(bytes, READER).then(() => read.at(-1)!.push(i)));
    await settled();
    do {
      read.push([]);
      assert(read.length <= messages.length + 2, "it does not come to its end");
    } while (await next());
    const isLarge = (i: number) => messages[i]! > LARGE_BYTES;
    assertEquals(read.flat().filter(isLarge), messages.map((_, i) => i).filter(isLarge));
    assertEquals(read.flat().length, messages.length);
    for (const turn of read.map((each) => each.filter(isLarge))) {
      assert(turn.length <= 1 || turn.reduce((sum, i) => sum + messages[i]!, 0) <= TURN_BYTES, `${turn}`);
    }
  }));
});

Deno.test("the bytes of what goes in one turn", async () => {
  for (
    const [messages, expected] of [
      [[TURN_BYTES, TURN_BYTES, TURN_BYTES], [1, 2, 3]],
      [[20_000, 20_000, 20_000, 20_000, 20_000, 20_000], [3, 6]],
      [[1_000_000, 20_000, 1_000_000], [1, 2, 3]],
      [[20_000, 1_000_000, 20_000], [1, 2, 3]],
    ] as const
  ) {
    const { turns, next } = testLoop();
    let done = 0;
    for (const bytes of messages) turns.take(bytes, READER).then(() => done++);
    await settled();
    const seen = [done];
    while (done < messages.length && await next()) seen.push(done);
    assertEquals(seen, [...expected], messages.join());
  }
});

Deno.test("small messages wait for nobody", async () => {
  const { turns } = testLoop();
  let small = 0;
  for (let i = 0; i < 5; i++) void turns.take(1_000_000, READER);
  for (let i = 0; i < 100; i++) turns.take(LARGE_BYTES, READER).then(() => small++);
  await settled();
  assertEquals(small, 100);
});

Deno.test("who comes after a quiet time goes at once, and at the same time not twice", async () => {
  const { turns, next } = testLoop();
  await turns.take(TURN_BYTES, READER);
  assertEquals([await next(), await next()], [true, false]);
  let done = 0;
  turns.take(TURN_BYTES, READER).then(() => done++);
  turns.take(TURN_BYTES, READER).then(() => done++);
  await settled();
  assertEquals(done, 1);
});

Deno.test("addresses go by turns, each in its order, whoever came first with however many", async () => {
  const { turns, next } = testLoop();
  const read: string[] = [];
  const take = (address: string, name: string) =>
    void turns.take(TURN_BYTES, { address, isOver: () => false }).then(() => read.push(name));
  for (const name of ["a1", "a2", "a3", "a4"]) take("a", name);
  for (const name of ["b1", "b2"]) take("b", name);
  take("c", "c1");
  await settled();
  while (await next());
  assertEquals(read, ["a1", "a2", "b1", "c1", "a3", "b2", "a4"]);
});

Deno.test("whose call is over has no turn, and blocks nobody", async () => {
  const { turns, next } = testLoop();
  const read: string[] = [];
  const over = new Set<string>();
  const take = (address: string, name: string) =>
    void turns.take(TURN_BYTES, { address, isOver: () => over.has(name) }).then(() => read.push(name));
  take("a", "first");
  for (let i = 0; i < 1_000; i++) {
    take("a", `gone ${i}`);
    over.add(`gone ${i}`);
  }
  take("a", "last");
  take("b", "gone");
  over.add("gone");
  await settled();
  assertEquals(read, ["first"]);
  assertEquals(await next(), true);
  assertEquals(read, ["first", "last"]);
  assertEquals([await next(), await next()], [true, false]);
});
