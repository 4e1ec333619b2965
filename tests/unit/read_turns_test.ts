/** How many requests are handed on in one turn of the loop. */
import { assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import { PassThrough } from "node:stream";
import type { Connection, Peer } from "../../src/rpc/connections.ts";
import { FrameWalk } from "../../src/rpc/frame_walk.ts";
import { LISTENER_LIMITS } from "../../src/rpc/listener_limits.ts";
import { ReadTurns } from "../../src/rpc/read_turns.ts";
import { call, many } from "../support/http2_calls.ts";
import { opening } from "../support/http2_frames.ts";

const ALONE = 8;
const SHARED = 4;

/** Turns, and what brings calls on a new connection of an address; answers how many of them were handed on at once. */
function createTurns(): (key: string, calls: number) => number {
  const limits = { ...LISTENER_LIMITS, requestsPerTurnMax: ALONE, requestsPerSharedTurnMax: SHARED };
  const turns = new ReadTurns(limits, () => {
    throw new Error("no connection is over a limit");
  });
  return (key, calls) => {
    const peer: Peer = {
      key,
      connections: 1,
      requests: 0,
      untakenBytes: 0,
      resets: undefined,
      barredUntil: 0,
      begun: 0,
      turn: 0,
    };
    const socket = new PassThrough();
    const frames = new FrameWalk();
    let begun = 0;
    socket.on("data", (bytes: Buffer) => {
      frames.walk(bytes, 0, Infinity);
      begun += frames.streams;
    });
    turns.take({ peer } as Connection, socket as unknown as Socket, new FrameWalk());
    socket.emit("data", Buffer.concat([opening(), ...many(calls, (i) => call("/a.B/C", 2 * i + 1))]));
    return begun;
  };
}

/** Until the turns that are due have begun. */
const nextTurn = () => new Promise((resolve) => setTimeout(resolve, 20));

Deno.test("an address that comes again without a connection left is the same, and still alone", async () => {
  const bring = createTurns();
  assertEquals(bring("a", 1), 1);
  await nextTurn();
  assertEquals(bring("a", ALONE + 1), ALONE);
  await nextTurn();
});

Deno.test("beside another address a turn is short, and may be one address's as long as nobody else is in it", async () => {
  const bring = createTurns();
  assertEquals(bring("a", 1), 1);
  await nextTurn();
  assertEquals(bring("b", 1), 1);
  await nextTurn();
  assertEquals(bring("b", SHARED + 1), SHARED);
  assertEquals(bring("a", 1), 0, "the turn is full");
  await nextTurn();
});
