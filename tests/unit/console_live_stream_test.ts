/** The stream of the page: when it is redialled, when it is given up, and when its reader is troubled with it. */
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { assertEquals } from "@std/assert";
import { AWAY_AFTER_MS, LiveStream, OPEN_MS_MAX } from "../../src/console/link/live_stream.ts";
import type { StreamEvent } from "../../src/console/link/stream_events.ts";
import {
  WatchEnd,
  type WatchInvResponse,
  WatchInvResponseSchema,
  WatchStart,
} from "../../src/gen/inventory/v1/watch_pb.ts";

const HEARTBEAT_MS = 10_000;

/** A stream whose time, network and chance are the test's. */
function bench() {
  let nowMs = 0;
  const timers = new Set<{ atMs: number; then: () => void }>();
  const dials: { token: string; send: (message: WatchInvResponse | Error | undefined) => Promise<void> }[] = [];
  const events: StreamEvent[] = [];
  const stream = new LiveStream({
    open(token, signal) {
      const waiting: ((result: WatchInvResponse | Error | undefined) => void)[] = [];
      const came: (WatchInvResponse | Error | undefined)[] = [];
      const push = (result: WatchInvResponse | Error | undefined) => {
        const next = waiting.shift();
        if (next === undefined) came.push(result);
        else next(result);
      };
      signal.addEventListener("abort", () => push(new ConnectError("aborted", Code.Canceled)));
      dials.push({
        token,
        send(message) {
          push(message);
          return settle();
        },
      });
      return (async function* () {
        while (true) {
          const result = came.length > 0
            ? came.shift()
            : await new Promise<WatchInvResponse | Error | undefined>((resolve) => waiting.push(resolve));
          if (result === undefined) return;
          if (result instanceof Error) throw result;
          yield result;
        }
      })();
    },
    emit: (event) => void events.push(event),
    after(ms, then) {
      const timer = { atMs: nowMs + ms, then };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    nowMs: () => nowMs,
    random: () => 1,
  });
  const ended = stream.run();
  return {
    stream,
    ended,
    dials,
    events,
    states: () => events.flatMap((event) => event.kind === "state" ? [event.state] : []),
    reloads: () => events.filter(({ kind }) => kind === "reload").length,
    async pass(ms: number) {
      const untilMs = nowMs + ms;
      while (true) {
        const next = [...timers].filter(({ atMs }) => atMs <= untilMs).sort((a, b) => a.atMs - b.atMs)[0];
        if (next === undefined) break;
        nowMs = next.atMs;
        timers.delete(next);
        next.then();
        await settle();
      }
      nowMs = untilMs;
      await settle();
    },
  };
}

/** Lets everything happen that waits for no time. */
async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

const started = (start: WatchStart, resumeToken = "") =>
  create(WatchInvResponseSchema, {
    resumeToken,
    event: { case: "started", value: { start, heartbeatMs: HEARTBEAT_MS } },
  });
const heartbeat = (resumeToken = "") =>
  create(WatchInvResponseSchema, { resumeToken, event: { case: "heartbeat", value: {} } });
const over = (end: WatchEnd) => create(WatchInvResponseSchema, { event: { case: "ended", value: { end } } });

Deno.test("a stream that ends is taken up again at once, where it ended, and nobody is troubled", async () => {
  const { stream, dials, states, reloads, pass, ended } = bench();
  assertEquals(dials.map(({ token }) => token), [""]);
  await dials[0]!.send(started(WatchStart.NOW, "a"));
  assertEquals([states(), reloads()], [["live"], 1]);
  await pass(HEARTBEAT_MS);
  await dials[0]!.send(heartbeat("b"));
  await dials[0]!.send(over(WatchEnd.AGE));
  assertEquals(dials.map(({ token }) => token), ["", "b"]);
  await pass(AWAY_AFTER_MS - 1);
  await dials[1]!.send(started(WatchStart.RESUMED));
  assertEquals([states(), reloads(), stream.resumeToken], [["live"], 1, "b"]);
  stream.close();
  await ended;
});

Deno.test("what was missed is read anew: another database, and a past that is gone", async () => {
  const { stream, dials, reloads, ended } = bench();
  await dials[0]!.send(started(WatchStart.NOW, "a"));
  for (const [i, start] of [WatchStart.OTHER_DATABASE, WatchStart.PAST_GONE].entries()) {
    await dials[i]!.send(undefined);
    stream.look();
    await settle();
    await dials[i + 1]!.send(started(start, `t${i}`));
    assertEquals(reloads(), i + 2);
  }
  stream.close();
  await ended;
});

Deno.test("what fails is dialled again for ever, with longer waits up to a bound", async () => {
  const { stream, dials, states, pass, ended } = bench();
  await dials[0]!.send(new ConnectError("away", Code.Unavailable));
  // At once, and then by 500 ms, doubled up to 15 s: chance is at its worst.
  for (const [i, ms] of [0, 500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000].entries()) {
    await pass(ms - 1);
    assertEquals(dials.length, ms === 0 ? 2 : i + 1, `before ${ms} ms`);
    await pass(1);
    assertEquals(dials.length, i + 2, `after ${ms} ms`);
    await dials.at(-1)!.send(new ConnectError("away", Code.Unavailable));
  }
  assertEquals(states(), ["away"]);
  stream.close();
  await ended;
});

Deno.test("who streams breaks off at once again and again is not dialled as fast as it goes", async () => {
  const { stream, dials, pass, ended } = bench();
  for (let i = 0; i < 5; i++) {
    await dials.at(-1)!.send(started(WatchStart.RESUMED));
    await dials.at(-1)!.send(over(WatchEnd.AGE));
  }
  assertEquals(dials.length, 2);
  await pass(60_000);
  stream.close();
  await ended;
});

Deno.test("a stream that does not open, or falls silent, is given up", async () => {
  const { stream, dials, states, pass, ended } = bench();
  await pass(OPEN_MS_MAX);
  assertEquals([dials.length, states()], [2, ["away"]]);
  await dials[1]!.send(started(WatchStart.NOW, "a"));
  await pass(2.5 * HEARTBEAT_MS - 1);
  assertEquals([dials.length, states()], [2, ["away", "live"]]);
  await pass(1);
  assertEquals(dials.map(({ token }) => token), ["", "", "a"]);
  stream.close();
  await ended;
});

Deno.test("who looks again cuts waits short, and leaves a stream that is alive alone", async () => {
  const { stream, dials, pass, ended } = bench();
  await dials[0]!.send(started(WatchStart.NOW, "a"));
  await pass(2 * HEARTBEAT_MS);
  stream.look();
  await settle();
  assertEquals(dials.length, 1);
  for (let i = 0; i < 6; i++) {
    await dials.at(-1)!.send(new ConnectError("away", Code.Unavailable));
    stream.look();
    await settle();
    assertEquals(dials.length, i + 2);
  }
  stream.close();
  await ended;
});

Deno.test("who may not watch is not asked again; a token that is not understood is dropped", async () => {
  const first = bench();
  await first.dials[0]!.send(started(WatchStart.NOW, "a"));
  await first.dials[0]!.send(new ConnectError("bad token", Code.InvalidArgument));
  assertEquals(first.dials.map(({ token }) => token), ["", ""]);
  await first.dials[1]!.send(new ConnectError("no", Code.Unauthenticated));
  await first.ended;
  assertEquals(first.states(), ["live", "away"]);
  assertEquals(first.events.at(-1), { kind: "refused", code: Code.Unauthenticated, message: "no" });
  assertEquals(first.stream.isOver, true);
  // Nothing is to be hoped for: that is not said as if the network had gone.
  const second = bench();
  await second.dials[0]!.send(new ConnectError("no", Code.PermissionDenied));
  await second.ended;
  assertEquals([second.states(), second.dials.length], [["denied"], 1]);
});
