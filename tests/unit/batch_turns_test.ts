/** Turns of large batches: in their sequence, by turns among addresses, as many as fit, and never without an end. */
import { Code, ConnectError } from "@connectrpc/connect";
import { assertEquals, assertRejects } from "@std/assert";
import { BatchTurns, WAITING_TURNS_MAX } from "../../src/rpc/messages/batch_turns.ts";

const NEVER = new AbortController().signal;
/** Longer than any of these tests. */
const LONG_MS = 60_000;

/** Asks for turns by name, and notes who has had one; `end` ends that turn. */
function taker(bytesMax: number, addressBytesMax = bytesMax, waitMsMax = LONG_MS) {
  const turns = new BatchTurns(bytesMax, addressBytesMax, waitMsMax);
  const began: string[] = [];
  const ends = new Map<string, () => void>();
  return {
    turns,
    began,
    take: (name: string, bytes: number, address = "a", signal = NEVER) =>
      turns.take(bytes, address, signal).then((end) => {
        began.push(name);
        ends.set(name, end);
      }),
    end: (name: string) => ends.get(name)!(),
  };
}

const settled = () => new Promise((resolve) => setTimeout(resolve));

Deno.test("as many as fit, in their sequence, and nobody overtakes who needs more", async () => {
  const { turns, began, take, end } = taker(10);
  void take("first", 6);
  void take("second", 4);
  void take("large", 9, "c");
  void take("small", 1, "b");
  await settled();
  assertEquals([began, turns.bytes], [["first", "second"], 10]);
  end("second");
  await settled();
  assertEquals(began, ["first", "second"]);
  end("first");
  await settled();
  assertEquals([began, turns.bytes], [["first", "second", "large", "small"], 10]);
  end("large");
  end("small");
  assertEquals(turns.bytes, 0);
});

Deno.test("one alone has its turn, whatever it becomes", async () => {
  const { turns, began, take, end } = taker(10);
  await take("huge", 1_000_000);
  void take("next", 1);
  await settled();
  assertEquals([began, turns.bytes], [["huge"], 10]);
  end("huge");
  await settled();
  assertEquals(began, ["huge", "next"]);
  end("next");
});

Deno.test("an address has its share of the capacity, one alone whatever it becomes, and blocks nobody else", async () => {
  const { turns, began, take, end } = taker(10, 5);
  void take("a1", 100, "a");
  void take("a2", 1, "a");
  void take("b1", 3, "b");
  void take("b2", 2, "b");
  void take("b3", 1, "b");
  await settled();
  assertEquals([began, turns.bytes], [["a1", "b1", "b2"], 10]);
  end("b1");
  await settled();
  assertEquals(began, ["a1", "b1", "b2", "b3"]);
  end("a1");
  await settled();
  assertEquals([began.at(-1), turns.bytes], ["a2", 4]);
  for (const name of ["a2", "b2", "b3"]) end(name);
  assertEquals(turns.bytes, 0);
});

Deno.test("only as many wait as can have their turn in time, of each address", async () => {
  const { turns, began, take, end } = taker(10, 5);
  await take("at work", 5, "a");
  for (let i = 0; i < WAITING_TURNS_MAX; i++) void take(`waits ${i}`, 5, "a");
  const leaving = new AbortController();
  const refused = take("one more", 1, "a", leaving.signal).catch((error) => error.code);
  leaving.abort();
  assertEquals(await refused, Code.ResourceExhausted);
  await take("another", 5, "b");
  end("at work");
  await settled();
  void take("capacity again", 5, "a");
  for (let i = 0; i < WAITING_TURNS_MAX; i++) {
    await settled();
    end(`waits ${i}`);
  }
  await settled();
  assertEquals([began.at(-1), turns.bytes], ["capacity again", 10]);
});

Deno.test("addresses take turns, whoever of them asks more often", async () => {
  const { began, take, end } = taker(1);
  const asked = ["a1", "a2", "a3", "a4", "b1", "b2", "c1"];
  for (const name of asked) void take(name, 1, name[0]);
  for (let i = 0; i < asked.length; i++) {
    await settled();
    end(began.at(-1)!);
  }
  assertEquals(began, ["a1", "a2", "b1", "c1", "a3", "b2", "a4"]);
});

Deno.test("who leaves frees its place at once, with its reason; who waits too long is asked to come again", async () => {
  const { turns, began, take, end } = taker(10);
  const leaving = new AbortController();
  const gone = new Error("gone");
  await take("at work", 5);
  const left = assertRejects(() => take("large", 10, "a", leaving.signal), Error, "gone");
  void take("behind", 5);
  await settled();
  assertEquals(began, ["at work"]);
  leaving.abort(gone);
  await left;
  await settled();
  assertEquals([began, turns.bytes], [["at work", "behind"], 10]);
  await assertRejects(() => take("too late", 1, "a", leaving.signal), Error, "gone");
  end("at work");
  end("behind");

  const short = taker(1, 1, 5);
  await short.take("at work", 1);
  const error = await assertRejects(() => short.take("waits", 1), ConnectError);
  assertEquals([error.code, short.turns.bytes], [Code.ResourceExhausted, 1]);
  short.end("at work");
  await short.take("later", 1);
  assertEquals(short.began, ["at work", "later"]);
  short.end("later");
});
