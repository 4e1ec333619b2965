/**
 * Peers that do to an HTTP/2 port what no honest client does, each as raw bytes over one TCP connection, all chosen by
 * a seeded generator so that a run can be repeated. Knows nothing of what is served beyond one path that takes calls.
 * Every session ends by itself: the server closes it, or it goes away after a bounded wait.
 */
import { Buffer } from "node:buffer";
import net from "node:net";
import { call, continuationFlood, many, openCall, oversizeHeaders, provokedResets, resets } from "./http2_calls.ts";
import { callHeaders, ERROR, FRAME, frame, headerBlock, opening, PREFACE, uint32 } from "./http2_frames.ts";

/** Where to be rude. `path` is a unary gRPC method, as `/package.Service/Method`. */
export interface Victim {
  readonly host: string;
  readonly port: number;
  readonly path: string;
}

/** How long a session waits for the server to close before it goes away. */
const LINGER_MS = 150;
/** A session that is neither closed nor able to write any more is over after this. */
const SESSION_MS_MAX = 10_000;

/** Random numbers in [0, 1), the same for the same seed (mulberry32). */
export type Random = () => number;

/** Makes the generator; see {@link Random}. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return function next() {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** What a session does to the connection at its end: reset it, end it, or wait for the server to do so. */
type Ending = "reset" | "end" | "linger";

/** What a session sends, and its end. */
interface Script {
  readonly chunks: Iterable<Uint8Array>;
  readonly ending: Ending;
}

/** What rude peers do, by name. */
export const RUDE_SESSIONS: Readonly<Record<string, (path: string, random: Random) => Script>> = {
  resetsStreamsRightAway(path, random) {
    const calls = upTo(random, 40, (n) => [call(path, n), frame(FRAME.reset, 0, n, uint32(ERROR.cancel))]);
    return { chunks: [opening(), ...calls], ending: any(random, ["reset", "end", "linger"]) };
  },
  resetsRapidly(path) {
    return { chunks: [opening(), ...resets(path, 3_000)], ending: "linger" };
  },
  makesTheServerReset(path) {
    return { chunks: [opening(), ...provokedResets(path, 2_000)], ending: "linger" };
  },
  saysGoAway(path, random) {
    const calls = upTo(random, 20, (n) => [call(path, n)]);
    const goAway = frame(FRAME.goAway, 0, 0, Buffer.concat([uint32(0), uint32(any(random, [0, 1, 2, 11]))]));
    return { chunks: [opening(), ...calls, goAway, call(path, 101)], ending: any(random, ["reset", "end"]) };
  },
  vanishesMidMessage(path, random) {
    const calls = upTo(random, 20, (n) => [openCall(path, n), frame(FRAME.data, 0, n, halfMessage(random))]);
    return { chunks: [opening(), ...calls], ending: any(random, ["reset", "end"]) };
  },
  vanishesMidFrame(path, random) {
    const bytes = Buffer.concat([opening(), openCall(path, 1), frame(FRAME.data, 0, 1, halfMessage(random))]);
    return { chunks: [bytes.subarray(0, Math.floor(random() * bytes.length))], ending: any(random, ["reset", "end"]) };
  },
  sendsGarbageFrames(path, random) {
    const frames = upTo(random, 30, () => [garbageFrame(random)]);
    return { chunks: [opening(), openCall(path, 1), ...frames], ending: any(random, ["reset", "linger"]) };
  },
  sendsGarbage(_path, random) {
    const start = any(random, [PREFACE, PREFACE.subarray(0, 14), Buffer.alloc(0), opening()]);
    return { chunks: [start, randomBytes(random, 4_096)], ending: any(random, ["reset", "end", "linger"]) };
  },
  sendsHalfAPreface(_path, random) {
    const length = Math.floor(random() * PREFACE.length);
    return { chunks: [PREFACE.subarray(0, length)], ending: any(random, ["reset", "end"]) };
  },
  sendsOversizeHeaders(path, random) {
    const size = any(random, [17_000, 40_000, 200_000]);
    return { chunks: [opening(), ...oversizeHeaders(path, 1, size)], ending: "linger" };
  },
  sendsManyHeaders(path) {
    const fields = Array.from({ length: 700 }, (_, n) => [`x-${n}`, ""] as const);
    return { chunks: [opening(), frame(FRAME.headers, 0x5, 1, callHeaders(path, fields))], ending: "linger" };
  },
  floodsContinuation(path, random) {
    const empty = random() < 0.5;
    return { chunks: [opening(), ...continuationFlood(path, 5_000, empty)], ending: "linger" };
  },
  floodsPings() {
    return { chunks: [opening(), ...many(3_000, () => frame(FRAME.ping, 0, 0, Buffer.alloc(8)))], ending: "linger" };
  },
  floodsSettings() {
    const setting = Buffer.concat([Buffer.of(0, 4), uint32(65_535)]);
    return { chunks: [opening(), ...many(3_000, () => frame(FRAME.settings, 0, 0, setting))], ending: "linger" };
  },
  opensTooManyStreams(path) {
    return { chunks: [opening(), ...many(500, (i) => openCall(path, 2 * i + 1))], ending: "linger" };
  },
  neverReads(path, random) {
    const noWindow = frame(FRAME.settings, 0, 0, Buffer.concat([Buffer.of(0, 4), uint32(0)]));
    const calls = many(90, (i) => call(path, 2 * i + 1));
    return { chunks: [PREFACE, noWindow, ...calls], ending: any(random, ["reset", "end"]) };
  },
  sendsABrokenHeaderBlock(_path, random) {
    return { chunks: [opening(), frame(FRAME.headers, 0x5, 1, randomBytes(random, 200))], ending: "linger" };
  },
  sendsBadPseudoHeaders(_path, random) {
    const bad = any(random, [
      [[":method", "POST"]],
      [[":method", "POST"], [":scheme", "http"], [":path", ""], [":authority", "a b"]],
      [["x", "y"], [":method", "POST"], [":scheme", "http"], [":path", "/"]],
      [[":method", "CONNECT"], [":authority", "127.0.0.1"]],
      [[":method", "POST"], [":scheme", "http"], [":path", "//["], [":authority", "["]],
    ] as [string, string][][]);
    return { chunks: [opening(), frame(FRAME.headers, 0x5, 1, headerBlock(bad))], ending: "linger" };
  },
  breaksHttp1(path, random) {
    const bytes = any(random, [
      `POST ${path} HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\nhalf`,
      `POST ${path} HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n`,
      `POST ${path} HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
      `POST ${path} HTTP/1.1\r\nhost: [\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}`,
      `GET ${path}`,
      `PRI * HTTP/1.1\r\n\r\n`,
    ]);
    return { chunks: [Buffer.from(bytes)], ending: any(random, ["reset", "end", "linger"]) };
  },
};

/** Runs one session to its end. Never throws: whatever the server does to the connection is fine. */
export function runRudeSession(victim: Victim, name: string, random: Random): Promise<void> {
  const { chunks, ending } = RUDE_SESSIONS[name]!(victim.path, random);
  const socket = net.connect({ host: victim.host, port: victim.port });
  const { promise, resolve } = Promise.withResolvers<void>();
  const atMost = setTimeout(() => socket.destroy(), SESSION_MS_MAX);
  let linger: ReturnType<typeof setTimeout> | undefined;
  socket.on("error", () => {});
  socket.on("data", () => {});
  socket.on("end", () => socket.end());
  socket.once("close", () => {
    clearTimeout(atMost);
    clearTimeout(linger);
    resolve();
  });
  socket.once("connect", () => {
    sendAll(socket, chunks).then(() => {
      if (ending === "reset") socket.resetAndDestroy();
      else if (ending === "end") socket.end(() => socket.destroy());
      else linger = setTimeout(() => socket.destroy(), LINGER_MS);
    });
  });
  return promise;
}

/** Writes as fast as the peer takes it, until all is written or the connection is gone. */
async function sendAll(socket: net.Socket, chunks: Iterable<Uint8Array>): Promise<void> {
  for (const chunk of chunks) {
    if (!socket.writable) return;
    if (socket.write(chunk)) continue;
    const { promise, resolve } = Promise.withResolvers<void>();
    socket.once("drain", resolve).once("close", resolve);
    await promise;
    socket.off("drain", resolve).off("close", resolve);
  }
}

function halfMessage(random: Random): Buffer {
  const declared = Buffer.concat([Buffer.of(0), uint32(any(random, [10, 60_000, 0xffffffff]))]);
  return Buffer.concat([declared, randomBytes(random, 9)]);
}

function garbageFrame(random: Random): Buffer {
  const payload = randomBytes(random, any(random, [0, 1, 4, 5, 6, 8, 9, 100, 17_000]));
  return frame(Math.floor(random() * 12), Math.floor(random() * 256), Math.floor(random() * 8), payload);
}

function randomBytes(random: Random, length: number): Buffer {
  return Buffer.from(Uint8Array.from({ length }, () => random() * 256));
}

function any<T>(random: Random, choices: readonly T[]): T {
  return choices[Math.floor(random() * choices.length)]!;
}

/** Frames of 1 to `most` streams, by their odd stream ids. */
function upTo(random: Random, most: number, frames: (stream: number) => Buffer[]): Buffer[] {
  return many(1 + Math.floor(random() * most), (i) => frames(2 * i + 1)).flat();
}
