/**
 * Messages that cost more than their bytes: each as many times as the attack that once held the service up, and beside it a
 * good caller that must go on being answered.
 */
import { assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import { gzipSync } from "node:zlib";
import { attackTest } from "../support/attack.ts";
import { grpcMessage, v1Path } from "../support/raw_call.ts";
import { sendAll } from "../support/message_attacker.ts";

attackTest("a hundred gzip bombs of 200 MB", {}, async ({ url }) => {
  const body = grpcMessage(gzipSync(Buffer.alloc(200_000_000)), { compressed: true });
  const statuses = await sendAll(url, { path: v1Path("Sell"), headers: { "grpc-encoding": "gzip" }, body }, {
    count: 100,
    connections: 4,
  });
  assertEquals(statuses, { "grpc-status 8": 100 });
});
