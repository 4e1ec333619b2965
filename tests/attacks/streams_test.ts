/** Attacks by streams of changes that nobody reads, while stock moves for which each of them would wait. */
import { assert, assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import { setTimeout as delay } from "node:timers/promises";
import { attackTest } from "../support/attack.ts";
import { callJson } from "../support/clients/json_fetch.ts";
import { flood } from "../support/flood.ts";
import { many, openCall } from "../support/http2_calls.ts";
import { FLAG, FRAME, frame, PREFACE, uint32 } from "../support/http2_frames.ts";
import { grpcMessage } from "../support/raw_call.ts";

const ATTACKERS = ["127.0.0.9", "127.0.0.10", "127.0.0.11"];
const WATCH = "/inventory.v1.WatchService/WatchInv";
const NO_WINDOW = Buffer.concat([PREFACE, frame(FRAME.settings, 0, 0, Buffer.concat([Buffer.of(0, 4), uint32(0)]))]);
/** Goods that move, so many in each batch. */
const GOODS = 3_000;
const BATCH = 500;
const BATCH_EVERY_MS = 100;
const LAST_MS = 12_000;

attackTest("720 streams of all stock of which nobody reads a message, while 3,000 goods move", {}, async (server) => {
  const apply = async (operations: readonly unknown[]) =>
    assert("answer" in await callJson(server.url, "ApplyBatch", JSON.stringify({ operations })));
  for (let first = 2; first < 2 + GOODS; first += BATCH) {
    await apply(many(BATCH, (i) => ({ setInv: { goodsId: first + i, num: 1 } })));
  }
  const streams = many(10, (i) => [
    openCall(WATCH, 2 * i + 1),
    frame(FRAME.data, FLAG.endStream, 2 * i + 1, grpcMessage(Buffer.alloc(0))),
  ]).flat();
  const chunks = [Buffer.concat([NO_WINDOW, ...streams])];
  let isOver = false;
  const flooding = Promise.all(
    ATTACKERS.map((address) => flood({ port: server.port, connections: 24, address, chunks, lastMs: LAST_MS })),
  ).finally(() => isOver = true);
  for (let moved = 0; !isOver; moved += BATCH) {
    await apply(many(BATCH, (i) => ({ adjustInv: { lines: [{ goodsId: 2 + (moved + i) % GOODS, delta: 1 }] } })));
    await delay(BATCH_EVERY_MS);
  }
  assertEquals(await flooding, ATTACKERS.map(() => ({ connected: 24, closed: 0 })));
});
