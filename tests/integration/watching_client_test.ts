/** The client that checks streams in other tests, on streams that are made up: what it calls a fault, and what not. */
import { assertEquals } from "@std/assert";
import { StreamError, type StreamMessage, type StreamRequest } from "../support/stream_sources.ts";
import { Watcher } from "../support/watching_client.ts";

Deno.test("a snapshot that breaks off before its token leads back to the last token, and to what was known then", async () => {
  const { asked, faults } = await watch(
    [started("NOW"), changes("a", 1, 2, 3), BROKEN],
    [started("PAST_GONE"), snapshot("", false, 3), BROKEN],
    [started("RESUMED"), changes("b", 4)],
  );
  assertEquals({ asked, faults }, { asked: ["", "a", "a"], faults: [] });
});

Deno.test("a version that is left out is a fault, also behind a snapshot that broke off", async () => {
  assertEquals((await watch([started("NOW"), changes("a", 1, 3)])).faults.length, 1);
  const { faults } = await watch(
    [started("NOW"), changes("a", 1, 2, 3), BROKEN],
    [started("PAST_GONE"), snapshot("", false, 3), BROKEN],
    [started("RESUMED"), changes("b", 5)],
  );
  assertEquals(faults, ["w: 1@0: version 5, of which 0 folded, after 3"]);
});

const BROKEN = new StreamError("UNAVAILABLE", "broken");

/** Watches these streams one after the other: the tokens that it asked with, and what it found wrong. */
async function watch(...streams: readonly (StreamMessage | StreamError)[][]) {
  const asked: unknown[] = [];
  const watcher = new Watcher({
    name: "w",
    random: () => 0,
    dial: (attempt) => ({
      async *open(_method, request: StreamRequest) {
        asked.push(request["resumeToken"] ?? "");
        for (const message of streams[attempt]!) {
          if (message instanceof StreamError) throw message;
          yield message;
        }
        // Which ends it.
        throw new StreamError("NOT_FOUND", "no more streams");
      },
      close: () => {},
    }),
  });
  await watcher.start().until(({ failure }) => failure !== undefined).catch(() => {});
  return { asked, faults: watcher.faults };
}

function started(start: string): StreamMessage {
  return { token: "", event: { case: "started", start: `WATCH_START_${start}`, heartbeatMs: 15_000 } };
}

function snapshot(token: string, complete: boolean, version: number): StreamMessage {
  return { token, event: { case: "snapshot", levels: [level(version)], complete } };
}

function changes(token: string, ...versions: number[]): StreamMessage {
  return { token, event: { case: "changes", changes: versions.map((each) => ({ level: level(each), folded: 0 })) } };
}

function level(version: number) {
  return { goodsId: 1, locationId: 0, version, onHand: 1, reserved: 0 };
}
