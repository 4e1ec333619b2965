/** How many requests are handed on in one turn of the loop. */
import { assertEquals, assertLess } from "@std/assert";
import { Buffer } from "node:buffer";
import http from "node:http";
import type { Socket } from "node:net";
import { Duplex, PassThrough } from "node:stream";
import type { Connection } from "../../src/transport/connections.ts";
import { FrameWalk } from "../../src/transport/http2/frame_walk.ts";
import { LISTENER_LIMITS } from "../../src/transport/limits.ts";
import { newPeer } from "../../src/transport/peers.ts";
import { ReadTurns } from "../../src/transport/read_turns.ts";
import { call, many } from "../support/http2_calls.ts";
import { FRAME, frame, opening } from "../support/http2_frames.ts";

const ALONE = 8;
const SHARED = 4;

function shortTurns(): ReadTurns {
  const limits = { ...LISTENER_LIMITS, requestsPerTurnMax: ALONE, requestsPerSharedTurnMax: SHARED };
  return new ReadTurns(limits, () => {
    throw new Error("no connection is over a limit");
  });
}

function connectionOf(key: string): Connection {
  const peer = { ...newPeer(key), connections: 1 };
  return { peer, exchanges: new Set(), requestBytes: 0 } as unknown as Connection;
}

/**
 * Turns, and what brings bytes on a new connection of an address; answers those that were handed on at once.
 *
 * @param handsOn is called with all bytes, whenever they are handed on
 */
function createTurns(
  handsOn: (bytes: Buffer) => void = () => {},
): (key: string, bytes: Uint8Array, frames?: FrameWalk) => Buffer {
  const turns = shortTurns();
  return (key, bytes, frames) => {
    const socket = new PassThrough();
    const handedOn: Buffer[] = [];
    socket.on("data", (part: Buffer) => {
      handedOn.push(part);
      handsOn(part);
    });
    turns.take(connectionOf(key), socket as unknown as Socket, frames);
    socket.emit("data", bytes);
    return Buffer.concat(handedOn);
  };
}

/** The same for calls over HTTP/2; answers how many of them were handed on. */
function createCallTurns(): (key: string, calls: number) => number {
  const bring = createTurns();
  return (key, calls) => {
    const bytes = Buffer.concat([opening(), ...many(calls, (i) => call("/a.B/C", 2 * i + 1))]);
    const frames = new FrameWalk();
    frames.walk(bring(key, bytes, new FrameWalk()), 0, Infinity);
    // Without what the SETTINGS of the opening cost.
    return Math.floor(frames.work);
  };
}

/** Until the turns that are due have begun. */
const nextTurn = () => new Promise((resolve) => setTimeout(resolve, 20));

Deno.test("an address that comes again without a connection left is the same, and still alone", async () => {
  const bring = createCallTurns();
  // Who comes second is what makes the turns after it short.
  for (let i = 0; i < 2; i++) {
    assertEquals(bring("a", 1), 1);
    await nextTurn();
  }
  assertEquals(bring("a", ALONE + 1), ALONE);
  await nextTurn();
});

Deno.test("beside another address a turn is short, and may be one address's as long as nobody else is in it", async () => {
  const bring = createCallTurns();
  assertEquals(bring("a", 1), 1);
  await nextTurn();
  assertEquals(bring("b", 1), 1);
  await nextTurn();
  assertEquals(bring("b", SHARED + 1), SHARED);
  assertEquals(bring("a", 1), 0, "the turn is full");
  await nextTurn();
});

Deno.test("where many connections contend a turn is half as long, and where few do it is whole", async () => {
  const CALL = call("/a.B/C", 1);
  for (const [connections, callsATurn] of [[16, SHARED], [17, SHARED / 2]] as const) {
    const turns: number[] = [];
    let isInTurn = false;
    const bring = createTurns((bytes) => {
      if (!isInTurn) turns.push(0);
      isInTurn = true;
      // A turn is one go.
      queueMicrotask(() => isInTurn = false);
      turns[turns.length - 1]! += bytes.length / CALL.length;
    });
    const calls = Buffer.concat(many(20, () => CALL));
    for (const [key, count] of [["a", 1], ["b", connections]] as const) {
      for (let i = 0; i < count; i++) {
        const frames = new FrameWalk();
        frames.walk(opening(), 0, Infinity);
        bring(key, key === "a" ? CALL : calls, frames);
      }
    }
    while (turns.length < 5) await nextTurn();
    // In the first they come; in the second they are all there.
    assertEquals(turns.slice(1, 4), [callsATurn, callsATurn, callsATurn], `${connections} connections`);
  }
});

Deno.test("frames that begin nothing have their turns too, as many of them as take as long", async () => {
  const bring = createTurns();
  const piece = frame(FRAME.data, 0, 1, Buffer.alloc(1));
  const pieces = Buffer.alloc(1_000 * piece.length, piece);
  bring("a", opening(), new FrameWalk());
  await nextTurn();
  assertEquals(
    bring("a", Buffer.concat([opening(), pieces]), new FrameWalk()).length,
    opening().length + 127 * piece.length,
  );
  await nextTurn();
});

Deno.test("HTTP/1 bytes have their turns: some kilobytes, or a piece of one in lines", async () => {
  const bring = createTurns();
  assertEquals(bring("a", Buffer.alloc(40_000, "x")).length, 2 * ALONE * 2_048);
  await nextTurn();
  assertEquals(bring("a", Buffer.alloc(40_000, "1\r\nx\r\n")).length, 2_048);
  await nextTurn();
});

Deno.test("of a body that waits for its turns no more is read than is handed on, though node:http would go on", async () => {
  const READ = 64 * 1024;
  let readBytes = 0;
  const socket = new Duplex({
    read() {
      readBytes += READ;
      this.push(Buffer.alloc(READ, "x"));
    },
    write: (_chunk, _encoding, done) => done(),
  });
  let bodyBytes = 0;
  const { promise: handedOn, resolve } = Promise.withResolvers<void>();
  const server = http.createServer(async (request) => {
    for await (const chunk of request) {
      bodyBytes += chunk.length;
      if (bodyBytes >= 16 * READ) break;
    }
    resolve();
  });
  socket.unshift("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1000000000\r\n\r\n");
  server.emit("connection", socket);
  shortTurns().take(connectionOf("a"), socket as unknown as Socket);
  await handedOn;
  socket.destroy();
  // What waits for its turn, what was under way when it was paused, and what node:http and its reader have.
  assertLess(readBytes - bodyBytes, 6 * READ);
});

Deno.test("a socket that node:http has paused goes on when that lets it, and not when its turn has come", async () => {
  const socket = new PassThrough();
  shortTurns().take(connectionOf("a"), socket as unknown as Socket);
  const isFlowing = () => !socket.isPaused();
  socket.emit("data", Buffer.alloc(2 * ALONE * 2_048 + 1));
  assertEquals(isFlowing(), false, "it waits");
  socket.resume();
  assertEquals(isFlowing(), false, "it waits, whatever node:http wants");
  await nextTurn();
  assertEquals(isFlowing(), true, "its turn has come");
  socket.emit("data", Buffer.alloc(2 * ALONE * 2_048 + 1));
  socket.pause();
  await nextTurn();
  assertEquals(isFlowing(), false, "node:http keeps it back");
  socket.resume();
  assertEquals(isFlowing(), true, "node:http lets it go on");
});
