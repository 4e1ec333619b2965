/** How long streams are open, what they say meanwhile, and how they end. */
import { assertEquals, assertRejects } from "@std/assert";
import { Code, ConnectError } from "@connectrpc/connect";
import { type StreamRules, withLife } from "../../src/services/stream_life.ts";

const WORDS = { heartbeat: () => "beat", ended: (end: string) => `end ${end}` };

/** A source that sends what it is given, and ends when its signal aborts. */
function sourceOf() {
  const given: string[] = [];
  let wake = Promise.withResolvers<void>();
  let hasEnded = false;
  async function* open(signal: AbortSignal): AsyncGenerator<string> {
    try {
      signal.addEventListener("abort", () => wake.resolve());
      while (!signal.aborted) {
        for (let next = given.shift(); next !== undefined; next = given.shift()) yield next;
        if (signal.aborted) return;
        wake = Promise.withResolvers();
        await wake.promise;
      }
    } finally {
      hasEnded = true;
    }
  }
  const give = (...messages: string[]) => {
    given.push(...messages);
    wake.resolve();
  };
  return { open, give, hasEnded: () => hasEnded };
}

/** A stream of such a source. */
function streamOf(rules: Partial<StreamRules> = {}, caller: AbortSignal = new AbortController().signal) {
  const drain = new AbortController();
  const source = sourceOf();
  const stream = withLife(source.open, WORDS, caller, {
    heartbeatMs: 1_000_000,
    ageMsMax: 1_000_000,
    random: () => 0,
    draining: drain.signal,
    ...rules,
  });
  const next = async () => (await stream.next()).value as string | undefined;
  return { ...source, drain, stream, next };
}

Deno.test("a stream brings what its source does, and a heartbeat where that has nothing for a while", async () => {
  const { give, next, stream, hasEnded } = streamOf({ heartbeatMs: 5 });
  give("a", "b");
  assertEquals([await next(), await next(), await next(), await next()], ["a", "b", "beat", "beat"]);
  give("c");
  assertEquals(await next(), "c");
  await stream.return(undefined);
  assertEquals(hasEnded(), true);
});

Deno.test("a stream ends for its age, however much its source has, and within a quarter of it by chance", async () => {
  for (const random of [0, 0.999]) {
    const { give, next, hasEnded } = streamOf({ ageMsMax: 20, random: () => random });
    const began = performance.now();
    let came: string | undefined;
    for (; came !== "end AGE"; came = await next()) {
      give("a");
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    const ageMs = performance.now() - began;
    assertEquals([ageMs >= 20 * (1 - random / 4) - 1, await next(), hasEnded()], [true, undefined, true]);
  }
});

Deno.test("a stream ends when the server stops: one that waits at once, one that is not read with the next message", async () => {
  const waiting = streamOf();
  const said = waiting.next();
  waiting.drain.abort();
  assertEquals([await said, await waiting.next()], ["end DRAINING", undefined]);

  const unread = streamOf();
  unread.give("a", "b");
  assertEquals(await unread.next(), "a");
  unread.drain.abort();
  assertEquals([await unread.next(), await unread.next()], ["end DRAINING", undefined]);

  const draining = AbortSignal.abort();
  assertEquals(await streamOf({ draining }).next(), "end DRAINING");
});

Deno.test("a stream ends without a word when its caller goes, and with the error of its deadline when that passes", async () => {
  const caller = new AbortController();
  const gone = streamOf({}, caller.signal);
  const said = gone.next();
  caller.abort();
  assertEquals([await said, gone.hasEnded()], [undefined, true]);

  const late = new AbortController();
  const passed = streamOf({}, late.signal);
  const rejected = passed.next();
  late.abort(new ConnectError("the operation timed out", Code.DeadlineExceeded));
  const error = await assertRejects(() => rejected, ConnectError);
  assertEquals([error.code, passed.hasEnded()], [Code.DeadlineExceeded, true]);
});

Deno.test("a stream ends with its source, and with its error", async () => {
  async function* failing() {
    yield "a";
    await Promise.resolve();
    throw new Error("torn");
  }
  const stream = withLife(failing, WORDS, new AbortController().signal, {
    heartbeatMs: 1_000_000,
    ageMsMax: 1_000_000,
    random: () => 0,
    draining: new AbortController().signal,
  });
  assertEquals((await stream.next()).value, "a");
  await assertRejects(() => stream.next(), Error, "torn");
  async function* empty(): AsyncGenerator<string> {}
  const none = withLife(empty, WORDS, new AbortController().signal, {
    heartbeatMs: 1_000_000,
    ageMsMax: 1_000_000,
    random: () => 0,
    draining: new AbortController().signal,
  });
  assertEquals((await none.next()).done, true);
});
