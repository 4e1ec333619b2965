/** Messages that can't be read are their callers' fault, and anyone can send as many: one line of log counts them. */
import { assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import { gzipSync } from "node:zlib";
import { grpcMessage, rawGrpc, rawJson } from "../support/raw_call.ts";
import { serverTest } from "../support/server.ts";

const LINE = "messages that can't be read were refused";
const EACH = 20;
/** Field 2 with half of its bytes. */
const MALFORMED = Buffer.of(0x12, 8, 0x61);

serverTest("a flood of messages that can't be read is one line in ten seconds", {}, async (server) => {
  const begun = performance.now();
  const answers = await Promise.all(
    Array.from({ length: EACH }, () => [
      rawGrpc(server.url, { body: grpcMessage(MALFORMED) }),
      rawGrpc(server.url, {
        headers: { "grpc-encoding": "gzip" },
        body: grpcMessage(gzipSync(MALFORMED), { compressed: true }),
      }),
      rawJson(server.url, "Sell", "{"),
    ]).flat(),
  );
  assertEquals(new Set(answers), new Set(["INVALID_ARGUMENT", "400 INVALID_ARGUMENT"]));
  // What was logged before it ended is read by then.
  await server.stop();
  const lines = server.output.stderr.split("\n").filter((line) => line.includes(LINE)).map((line) => JSON.parse(line));
  const linesMax = 1 + Math.floor((performance.now() - begun) / 10_000);
  assertEquals(lines.length >= 1 && lines.length <= linesMax, true, `${lines.length} lines`);
  const { count, method, reason } = lines[0];
  assertEquals([count, method], [1, "inventory.v1.InventoryService/Sell"]);
  assertEquals(typeof reason === "string" && reason.length > 0, true);
});
