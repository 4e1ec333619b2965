/**
 * Messages that cost more than their bytes: each as many times as the attack that once blocked the service, and beside
 * it a good caller that must go on being answered.
 */
import { assert, assertEquals, assertLess } from "@std/assert";
import { Buffer } from "node:buffer";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { attackTest, attackTests } from "../support/attack.ts";
import { callJson } from "../support/clients/json_fetch.ts";
import { flood } from "../support/flood.ts";
import { many, openCall } from "../support/http2_calls.ts";
import { FLAG, FRAME, frame, opening } from "../support/http2_frames.ts";
import { type AttackRequest, sendAll } from "../support/message_attacker.ts";
import { bytesField, grpcMessage, v1Path, varintField } from "../support/raw_call.ts";

const ATTACKER = "127.0.0.9";
const MESSAGE_BYTES_MAX = 1024 * 1024;
/**
 * Longest answer, in ms, to a packed message beside 1,800 of an attacker, each of which takes 6 ms of the one thread to
 * read.
 */
const BESIDE_MS_MAX = 5_000;

/** The number of a field of an order. */
const DRY_RUN = 5;
/** A field that no message has, with an empty value: two bytes become an object. */
const UNKNOWN = Buffer.alloc(MESSAGE_BYTES_MAX, Buffer.of(0x7a, 0));
/** An empty message in field 1: a line of a Sell, an order of a SellBatch. */
const EMPTY = Buffer.alloc(MESSAGE_BYTES_MAX, Buffer.of(0x0a, 0));

// Of a server of its own, as nothing takes more memory.
attackTest("260 batches of 0.8 MB at once", {}, async ({ url }) => {
  await stock(url, 130);
  const attack = { count: 260, connections: 13, streams: 20, address: "127.0.0.9" };
  let isOver = false;
  const attacked = served(url, plain("SellBatch", batch(1_000, 130)), attack).finally(() => isOver = true);
  // Whoever comes from elsewhere has capacity for a batch that needs a turn, and the turn next.
  const honest = { served: 0, refused: 0 };
  while (!isOver) {
    const statuses = await sendAll(url, plain("SellBatch", batch(65, 130)), { count: 1, connections: 1 });
    honest[statuses["grpc-status 0"] === 1 ? "served" : "refused"]++;
  }
  console.log(`    batches from another address: ${JSON.stringify(honest)}`);
  await attacked;
  // On a machine that is busy with other work one turn may take longer than a batch may wait.
  assertLess(honest.refused, Math.max(2, honest.served));
  assertLess(0, honest.served);
});

attackTests("messages that cost more than their bytes", {}, {
  async "unknown fields, a million bytes of them in a thousand of gzip, forty times"({ url }) {
    assertEquals(await sendAll(url, gzipped("SellBatch", UNKNOWN), { count: 40, connections: 4 }), {
      "grpc-status 3": 40,
    });
    assertEquals(await sendAll(url, gzipped("Sell", UNKNOWN), { count: 40, connections: 4 }), {
      "grpc-status 8": 40,
    });
  },
  async "unknown fields, a million bytes of them, forty times"({ url }) {
    const attack = { count: 40, connections: 8, streams: 2 };
    assertEquals(await sendAll(url, plain("SellBatch", UNKNOWN), attack), { "grpc-status 3": 40 });
  },
  async "500,000 empty lines or orders"({ url }) {
    const attack = { count: 24, connections: 8, streams: 2 };
    assertEquals(await sendAll(url, plain("Sell", EMPTY), attack), { "grpc-status 8": 24 });
    assertEquals(await sendAll(url, plain("SellBatch", EMPTY), attack), { "grpc-status 3": 24 });
    assertEquals(await sendAll(url, gzipped("SellBatch", EMPTY), { count: 40, connections: 4 }), {
      "grpc-status 3": 40,
    });
    // Few orders, and as many lines in them.
    const lines = bytesField(1, EMPTY.subarray(0, MESSAGE_BYTES_MAX / 2 - 8));
    assertEquals(
      await sendAll(url, gzipped("SellBatch", Buffer.concat([lines, lines])), { count: 40, connections: 4 }),
      { "grpc-status 3": 40 },
    );
  },
  async "a million goods ids, packed"({ url }) {
    const body = bytesField(1, Buffer.alloc(1_000_000, 1));
    assertEquals(await sendAll(url, plain("BatchInvDetail", body), { count: 48, connections: 8, streams: 2 }), {
      "grpc-status 8": 48,
    });
  },
  async "JSON of 330,000 empty orders, of 90,000 unknown keys, and 500,000 deep"({ url }) {
    const attack = { count: 24, connections: 8, streams: 2 };
    const orders = `{"orders":[${Array(330_000).fill("{}").join(",")}]}`;
    assertEquals(await sendAll(url, json("SellBatch", orders), attack), { "http 400": 24 });
    const keys = `{${Array.from({ length: 90_000 }, (_, i) => `"k${i}":1`).join(",")}}`;
    assertEquals(await sendAll(url, json("SellBatch", keys), attack), { "http 400": 24 });
    const deep = `{"orders":${"[".repeat(500_000)}${"]".repeat(500_000)}}`;
    assertEquals(await sendAll(url, json("SellBatch", deep), attack), { "http 400": 24 });
  },
  async "bombs of gzip and of brotli"({ url }) {
    const attack = { count: 60, connections: 4 };
    // All of them unpacked would fill the memory that is allowed here five times over.
    const zeros = Buffer.alloc(64_000_000);
    assertEquals(await sendAll(url, gzipped("Sell", gzipSync(zeros), true), attack), { "grpc-status 8": 60 });
    // Some 300 bytes, as with the default quality, which takes seconds for it.
    const params = { [constants.BROTLI_PARAM_QUALITY]: 9 };
    const brotli = grpcMessage(brotliCompressSync(zeros, { params }), { compressed: true });
    const request = { path: v1Path("Sell"), headers: { "grpc-encoding": "br" }, body: brotli };
    assertEquals(await sendAll(url, request, attack), { "grpc-status 12": 60 });
    // Eight at a time: more than 10,000 goods are refused at once (QUEUE_MAX), whoever asks for them.
    const asked = {
      path: v1Path("BatchInvDetail"),
      headers: { "grpc-accept-encoding": "br,gzip" },
      body: goods(1_000),
    };
    assertEquals(await sendAll(url, asked, { count: 40, connections: 4, streams: 2 }), { "grpc-status 0": 40 });
  },
  // What writing as many costs is in the attack before.
  async "48 batches of 60,000 lines that change nothing, each of some kilobytes in gzip"({ url }) {
    await stock(url, 60);
    const request = gzipped("SellBatch", batch(1_000, 60, { dryRun: true }));
    await served(url, request, { count: 48, connections: 16, streams: 3 });
  },
});

attackTest(
  "1,800 messages of a megabyte, packed to a kilobyte, wait to be read: one of another address does not",
  {},
  async (server) => {
    const packed = grpcMessage(gzipSync(UNKNOWN), { compressed: true });
    // As many as the window of a connection lets in.
    const calls = many(60, (i) => [
      openCall(v1Path("SellBatch"), 2 * i + 1, [["grpc-encoding", "gzip"]]),
      frame(FRAME.data, FLAG.endStream, 2 * i + 1, packed),
    ]).flat();
    const honest = gzipped("Sell", bytesField(1, Buffer.concat([varintField(1, 1n), varintField(2, 1n)])));
    const beside = async () => {
      const sinceMs = performance.now();
      assertEquals(await sendAll(server.url, honest, { count: 1, connections: 1 }), { "grpc-status 0": 1 });
      assertLess(performance.now() - sinceMs, BESIDE_MS_MAX);
    };
    const served = (async () => {
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      for (let i = 0; i < 3; i++) await beside();
    })();
    const chunks = [Buffer.concat([opening(), ...calls])];
    const flooded = flood({
      port: server.port,
      connections: 30,
      address: ATTACKER,
      chunks,
      lastMs: 60_000,
      until: served,
    });
    await Promise.all([served, flooded]);
    // Nobody waits for the messages of those who have gone.
    await beside();
  },
);

/** Those that fit are served, all others refused as too much, and nobody is left without an answer. */
async function served(url: string, request: AttackRequest, attack: Parameters<typeof sendAll>[2]): Promise<void> {
  const statuses = await sendAll(url, request, attack);
  console.log(`    ${JSON.stringify(statuses)}`);
  const { "grpc-status 0": ok = 0, "grpc-status 8": refused = 0, ...others } = statuses;
  assertEquals(others, {});
  assert(ok > 0, "none was served");
  assertEquals(ok + refused, attack.count);
}

async function stock(url: string, goodsCount: number): Promise<void> {
  for (let goodsId = 1; goodsId <= goodsCount; goodsId++) {
    await callJson(url, "SetInv", JSON.stringify({ goodsId, num: 1_000_000_000 }));
  }
}

/** A SellBatch of so many nameless orders, each of so many goods. */
function batch(orders: number, lines: number, { dryRun = false } = {}): Buffer {
  const line = (goodsId: number) => bytesField(1, Buffer.concat([varintField(1, BigInt(goodsId)), varintField(2, 1n)]));
  const order = Buffer.concat([
    ...Array.from({ length: lines }, (_, i) => line(i + 1)),
    ...(dryRun ? [varintField(DRY_RUN, 1n)] : []),
  ]);
  return Buffer.alloc((order.length + 3) * orders, bytesField(1, order));
}

/** A BatchInvDetail of goods that are not there. */
function goods(count: number): Buffer {
  return grpcMessage(Buffer.concat(Array.from({ length: count }, (_, i) => varintField(1, BigInt(1_000_000 + i)))));
}

function plain(method: string, message: Uint8Array): AttackRequest {
  return { path: v1Path(method), body: grpcMessage(message) };
}

function gzipped(method: string, message: Uint8Array, isPacked = false): AttackRequest {
  const body = grpcMessage(isPacked ? message : gzipSync(message), { compressed: true });
  return { path: v1Path(method), headers: { "grpc-encoding": "gzip" }, body };
}

function json(method: string, text: string): AttackRequest {
  return { path: v1Path(method), headers: { "content-type": "application/json" }, body: Buffer.from(text) };
}
