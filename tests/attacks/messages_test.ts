/**
 * Messages that cost more than their bytes: each as many times as the attack that once held the service up, and beside it a
 * good caller that must go on being answered.
 */
import { assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import { attackTest } from "../support/attack.ts";
import { sendAll } from "../support/message_attacker.ts";
import { grpcMessage, v1Path } from "../support/raw_call.ts";

/** A field that no message has, with an empty value: two bytes become an object. */
const UNKNOWN = Buffer.alloc(1024 * 1024, Buffer.of(0x7a, 0));

attackTest("unknown fields, a million bytes of them, eighty times", {}, async ({ url }) => {
  const request = { path: v1Path("SellBatch"), body: grpcMessage(UNKNOWN) };
  assertEquals(await sendAll(url, request, { count: 80, connections: 8, streams: 2 }), { "grpc-status 3": 80 });
});
