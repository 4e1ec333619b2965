/**
 * Messages and lists of the stock API that cost more than their bytes: each many times, and beside it a good caller
 * that must go on being answered.
 */
import { assert, assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import { gzipSync } from "node:zlib";
import { attackTests } from "../support/attack.ts";
import { callJson } from "../support/clients/json_fetch.ts";
import { type AttackRequest, sendAll } from "../support/message_attacker.ts";
import { bytesField, grpcMessage, varintField } from "../support/raw_call.ts";

const ATTACKER = "127.0.0.9";
const MESSAGE_BYTES_MAX = 1024 * 1024;
/** An empty message in field 1, as often as fits: operations of a batch, a sell in one of them, lines of that. */
const EMPTY = Buffer.alloc(MESSAGE_BYTES_MAX / 2, Buffer.of(0x0a, 0));
const APPLY = "StockService/ApplyBatch";
/** The number of the field of a batch's operation that is an AdjustInv, and of a list's total; and what that is. */
const ADJUST = 4;
const TOTAL = 13;
const TOTAL_EXACT = 2n;
/** Goods that are counted one by one. */
const GOODS = 5_000;

attackTests("messages and lists of the stock API that cost more than their bytes", {}, {
  async "250,000 empty operations, lines of one, or kinds of one"({ url }) {
    const attack = { count: 24, connections: 8, streams: 2 };
    for (const body of [EMPTY, bytesField(1, bytesField(1, EMPTY)), bytesField(1, bytesField(ADJUST, EMPTY))]) {
      assertEquals(await sendAll(url, plain(APPLY, body), attack), { "grpc-status 3": 24 });
      assertEquals(await sendAll(url, gzipped(APPLY, body), { count: 40, connections: 4 }), { "grpc-status 3": 40 });
    }
    // Each is the same one again: the last counts, as in any message, and it breaks its rules.
    assertEquals(await sendAll(url, plain(APPLY, bytesField(1, EMPTY)), attack), { "grpc-status 0": 24 });
  },
  async "JSON of operations in each other, and of 300,000 empty ones"({ url }) {
    const attack = { count: 24, connections: 8, streams: 2 };
    const deep = `{"operations":[${`{"sell":{"goodsInfo":[`.repeat(20_000)}`;
    assertEquals(await sendAll(url, json(APPLY, deep), attack), { "http 400": 24 });
    const many = `{"operations":[${Array(300_000).fill("{}").join(",")}]}`;
    assertEquals(await sendAll(url, json(APPLY, many), attack), { "http 400": 24 });
  },
  async "3,000 lists of all stock, counted one by one"({ url }) {
    for (let first = 2; first < GOODS; first += 500) {
      const operations = Array.from({ length: 500 }, (_, i) => ({ setInv: { goodsId: first + i, num: 1 } }));
      assert("answer" in await callJson(url, "ApplyBatch", JSON.stringify({ operations })));
    }
    const list = plain("QueryService/ListInv", varintField(TOTAL, TOTAL_EXACT));
    const statuses = await sendAll(url, list, { count: 3_000, connections: 4, address: ATTACKER });
    console.log(`    lists: ${JSON.stringify(statuses)}`);
    assertEquals(Object.keys(statuses).filter((status) => !["grpc-status 0", "grpc-status 8"].includes(status)), []);
  },
});

function plain(method: string, body: Uint8Array): AttackRequest {
  return { path: `/inventory.v1.${method}`, body: grpcMessage(body) };
}

function gzipped(method: string, body: Uint8Array): AttackRequest {
  const packed = grpcMessage(gzipSync(body), { compressed: true });
  return { path: `/inventory.v1.${method}`, headers: { "grpc-encoding": "gzip" }, body: packed };
}

function json(method: string, body: string): AttackRequest {
  return {
    path: `/inventory.v1.${method}`,
    headers: { "content-type": "application/json" },
    body: Buffer.from(body),
  };
}
