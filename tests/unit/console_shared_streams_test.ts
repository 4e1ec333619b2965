/** The stream that tabs share: whose it is, when it ends, and what becomes of one that was refused. */
import { assertEquals } from "@std/assert";
import { SharedStreams } from "../../src/console/link/shared_streams.ts";
import type { LinkState, StreamEvent } from "../../src/console/link/stream_events.ts";
import type { Credentials } from "../../src/console/link/transport.ts";

const credentials = (key: string): Credentials => ({ baseUrl: "http://shop", wire: "grpc-web", key });

/** Streams that say what the test has them say. */
function bench() {
  const opened: { state: LinkState; isOver: boolean; look(): void; close(): void; say(state: LinkState): void }[] = [];
  const streams = new SharedStreams((_credentials, emit) => {
    const stream = {
      ...{ state: "connecting" as LinkState, isOver: false },
      look() {},
      close: () => stream.isOver = true,
      say: (state: LinkState) => emit({ kind: "state", state: stream.state = state }),
    };
    opened.push(stream);
    return stream;
  });
  const tab = () => {
    const heard: string[] = [];
    return {
      heard,
      postMessage: (event: StreamEvent) => heard.push(event.kind === "state" ? event.state : event.kind),
    };
  };
  return { streams, opened, tab };
}

Deno.test("tabs of one caller share a stream, those of another hear nothing of it, and it ends with the last", () => {
  const { streams, opened, tab } = bench();
  const [a, b, other] = [tab(), tab(), tab()];
  const caller = streams.join(credentials("k"), a);
  streams.join(credentials("k"), b);
  streams.join(credentials("else"), other);
  opened[0]!.say("live");
  assertEquals([a.heard, b.heard, other.heard], [["connecting", "live"], ["connecting", "live"], ["connecting"]]);
  streams.leave(caller, a);
  assertEquals(opened.map(({ isOver }) => isOver), [false, false]);
  streams.leave(caller, b);
  assertEquals(opened.map(({ isOver }) => isOver), [true, false]);
});

Deno.test("a stream that was refused is tried anew for a tab that comes, and for those that are there", () => {
  const { streams, opened, tab } = bench();
  const [a, b] = [tab(), tab()];
  streams.join(credentials("k"), a);
  opened[0]!.say("denied");
  opened[0]!.isOver = true;
  streams.join(credentials("k"), b);
  assertEquals([opened.length, b.heard], [2, ["connecting"]]);
  opened[1]!.say("live");
  assertEquals([a.heard, b.heard], [["connecting", "denied", "live"], ["connecting", "live"]]);
});
