/**
 * The attacks whose path is another one where the server speaks TLS and asks for keys: by somebody who has none, whom
 * nothing may be read from but the head of a call, and by somebody who may read, beside a good caller with a key. All
 * other attacks run like that with ATTACKS_WITH=tls.
 */
import { assert, assertEquals, assertLess } from "@std/assert";
import { Buffer } from "node:buffer";
import { gzipSync } from "node:zlib";
import { attackTest } from "../support/attack.ts";
import { flood, floodAgain } from "../support/flood.ts";
import { many, openCall, resets } from "../support/http2_calls.ts";
import { FLAG, FRAME, frame, opening, PREFACE, uint32 } from "../support/http2_frames.ts";
import { sendAll } from "../support/message_attacker.ts";
import { bytesField, grpcMessage, v1Path, varintField } from "../support/raw_call.ts";
import { scrape } from "../support/scrape.ts";

const ATTACKER = "127.0.0.9";
const MESSAGE_BYTES_MAX = 1024 * 1024;
/** Twenty at once, and one a second. */
const LINES_MAX = 80;
/** Longest answer to the good caller, in ms: its checks of health are handshakes, behind those of the attacker. */
const HANDSHAKES_MS_MAX = 2_000;
const refusals = (log: string) => log.split("\n").filter((line) => line.includes("a call was refused")).length;

attackTest("over TLS, without a key: handshakes, connections in clear, slow senders, resets", {
  secured: true,
  attacker: "none",
  goodCallMsMax: HANDSHAKES_MS_MAX,
}, async ({ port, output }) => {
  const from = { port, address: ATTACKER };
  // What begins no handshake, and what begins one and is no HTTP.
  const garbage = [Buffer.from("GET / HTTP/1.1\r\nhost: a\r\n\r\n".repeat(100))];
  const clear = await flood({ ...from, isClear: true, connections: 100, chunks: garbage, lastMs: 20_000 });
  assertEquals(clear, { connected: 100, closed: 100 });
  const handshakes = await floodAgain(
    { ...from, connections: 4, chunks: [Buffer.from("?\r\n\r\n")], lastMs: 0 },
    1_000,
  );
  console.log(`    ${handshakes} handshakes`);
  assert(handshakes > 4);

  // Calls that are refused by their head, whose messages come byte by byte.
  const slow = many(100, (i) => [
    openCall(v1Path("Sell"), 2 * i + 1),
    frame(FRAME.data, 0, 2 * i + 1, Buffer.alloc(1)),
  ]).flat();
  const chunks = [Buffer.concat([opening(), ...slow])];
  const { connected } = await flood({ ...from, connections: 15, chunks, lastMs: 500 });
  assertEquals(connected, 15);

  const flooding = [Buffer.concat([opening(), ...resets(v1Path("Sell"), 990)])];
  const { closed } = await flood({ ...from, connections: 10, chunks: flooding, lastMs: 20_000 });
  assertEquals(closed, 10);
  console.log(`    ${refusals(output.stderr)} lines`);
  assertLess(refusals(output.stderr), LINES_MAX);
});

attackTest(
  "over TLS, by a reader: answers that nobody takes, and messages whose reading costs, which cost nothing by nobody",
  {
    secured: true,
    attacker: "reader",
    goodCallMsMax: HANDSHAKES_MS_MAX,
  },
  async ({ port, url, adminUrl, output }) => {
    const detail = grpcMessage(varintField(1, 1n));
    const noWindow = frame(FRAME.settings, 0, 0, Buffer.concat([Buffer.of(0, 4), uint32(0)]));
    const calls = many(100, (i) => [
      openCall(v1Path("InvDetail"), 2 * i + 1),
      frame(FRAME.data, FLAG.endStream, 2 * i + 1, detail),
    ]).flat();
    const chunks = [Buffer.concat([PREFACE, noWindow, ...calls])];
    const { connected } = await flood({ port, address: ATTACKER, connections: 100, chunks, lastMs: 1_000 });
    assertEquals(connected, 100);

    const cpuS = async () => (await scrape(adminUrl)).sum("process_cpu_seconds_total");
    const costOf = async (method: string, authorization: string | undefined, expected: string) => {
      const before = await cpuS();
      const body = grpcMessage(packed, { compressed: true });
      const headers = { "grpc-encoding": "gzip", ...(authorization === undefined ? {} : { authorization }) };
      const attack = { count: 100, connections: 4, address: ATTACKER };
      assertEquals(await sendAll(url, { path: v1Path(method), headers, body }, attack), { [expected]: 100 }, method);
      return await cpuS() - before;
    };
    // A million ids, which are counted, in as many bytes.
    const packed = gzipSync(bytesField(1, Buffer.alloc(MESSAGE_BYTES_MAX - 8, 1)));
    const known = await costOf("BatchInvDetail", undefined, "grpc-status 8");
    const lacking = await costOf("SellBatch", undefined, "grpc-status 7");
    const unknown = await costOf("BatchInvDetail", "Bearer hf_nobody", "grpc-status 16");
    console.log(`    CPU of 100 messages: read ${known} s, without the right ${lacking} s, without a key ${unknown} s`);
    assertLess(lacking, known);
    assertLess(unknown, known);
    assertLess(refusals(output.stderr), LINES_MAX);
  },
);
