import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import fc from "fast-check";
import { LARGE_BYTES, TURN_BYTES, Turns } from "../../src/rpc/turns.ts";

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
    messages.forEach((bytes, i) => void turns.take(bytes).then(() => read.at(-1)!.push(i)));
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
    for (const bytes of messages) turns.take(bytes).then(() => done++);
    await settled();
    const seen = [done];
    while (done < messages.length && await next()) seen.push(done);
    assertEquals(seen, [...expected], messages.join());
  }
});

Deno.test("small messages wait for nobody", async () => {
  const { turns } = testLoop();
  let small = 0;
  for (let i = 0; i < 5; i++) void turns.take(1_000_000);
  for (let i = 0; i < 100; i++) turns.take(LARGE_BYTES).then(() => small++);
  await settled();
  assertEquals(small, 100);
});

Deno.test("who comes after a quiet time goes at once, and at the same time not twice", async () => {
  const { turns, next } = testLoop();
  await turns.take(TURN_BYTES);
  assertEquals([await next(), await next()], [true, false]);
  let done = 0;
  turns.take(TURN_BYTES).then(() => done++);
  turns.take(TURN_BYTES).then(() => done++);
  await settled();
  assertEquals(done, 1);
});
