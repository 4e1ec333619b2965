/**
 * Callers without a key, and with keys that they made up, as many as come and with messages as large as there may be:
 * beside them a caller with a key goes on, and what is refused costs little and is logged by the few.
 */
import { assert, assertEquals, assertLess } from "@std/assert";
import { Buffer } from "node:buffer";
import { newKey } from "../../src/auth/keys/key_text.ts";
import { attackTest } from "../support/attack.ts";
import { callerSetup } from "../support/caller_setup.ts";
import { sendAll } from "../support/message_attacker.ts";
import { grpcMessage } from "../support/raw_call.ts";

const ATTACKER = "127.0.0.9";
const SELL = "/inventory.v1.InventoryService/SellBatch";
const MESSAGE_BYTES_MAX = 1024 * 1024;
const UNAUTHENTICATED = "grpc-status 16";
/** Twenty at once, and one a second. */
const LINES_MAX = 80;

attackTest(
  "4,000 calls with keys that somebody made up, and 250 of 1 MiB without one",
  { keyed: true },
  async (server) => {
    const { url, output } = server;
    const empty = grpcMessage(Buffer.alloc(0));
    const whole = grpcMessage(Buffer.alloc(MESSAGE_BYTES_MAX / 2, Buffer.of(0x0a, 0)));
    const attack = { count: 1_000, connections: 4, address: ATTACKER };
    const { authorization = "" } = callerSetup().headers;
    const guessed = [
      `Bearer ${newKey().key}`,
      // The id is no secret.
      `Bearer ${authorization.slice("Bearer ".length, 20)}${"0".repeat(64)}`,
      `Bearer ${"x".repeat(7_000)}`,
      "Basic YTpi",
    ];
    for (const bad of guessed) {
      const request = { path: SELL, headers: { authorization: bad }, body: empty };
      assertEquals(await sendAll(url, request, attack), { [UNAUTHENTICATED]: attack.count }, bad.slice(0, 30));
    }
    const large = { path: SELL, headers: { authorization: "Bearer" }, body: whole };
    // Some are reset by the server, which wants nothing of their message, before their answer is read.
    const seen = await sendAll(url, large, { count: 250, connections: 8, streams: 4, address: ATTACKER });
    assert((seen[UNAUTHENTICATED] ?? 0) > 0, JSON.stringify(seen));
    const lines = output.stderr.split("\n").filter((line) => line.includes("a call was refused"));
    console.log(`    ${lines.length} lines; ${JSON.stringify(seen)}`);
    assertLess(lines.length, LINES_MAX);
    assert(!output.stderr.includes(authorization.slice(-64)));
  },
);
