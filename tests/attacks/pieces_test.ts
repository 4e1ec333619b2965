/**
 * Attacks by bytes that begin no request: messages in pieces of one byte, what comes behind a message, and requests
 * that node:http would answer by itself.
 */
import { assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import { attackTest } from "../support/attack.ts";
import { flood } from "../support/flood.ts";
import { many, openCall } from "../support/http2_calls.ts";
import { FLAG, FRAME, frame, headerBlock, opening, uint32 } from "../support/http2_frames.ts";
import { v1Path } from "../support/raw_call.ts";

const ATTACKER = "127.0.0.9";
const CHECK = "/grpc.health.v1.Health/Check";
const REFLECTION = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";

attackTest("pieces of one byte, and what nobody asked for", {}, async ({ port }) => {
  const send = (connections: number, chunks: Uint8Array[], lastMs: number) =>
    flood({ port, connections, address: ATTACKER, chunks, lastMs });

  // A message of a megabyte, 65,000 frames of it: as many as the window of a connection lets in.
  const start = [openCall(v1Path("SellBatch"), 1), frame(FRAME.data, 0, 1, Buffer.from([0, ...uint32(1_000_000)]))];
  const pieces = many(13, () => Buffer.alloc(10 * 5_000, frame(FRAME.data, 0, 1, Buffer.alloc(1))));
  const framed = await send(60, [Buffer.concat([opening(), ...start]), ...pieces], 1_500);
  assertEquals(framed.connected, 60);

  const header = `POST ${v1Path("SellBatch")} HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n`;
  const chunks = many(5, () => Buffer.from("1\r\n \r\n".repeat(10_000)));
  const chunked = await send(100, [Buffer.from(`${header}transfer-encoding: chunked\r\n\r\n`), ...chunks], 1_500);
  assertEquals(chunked.connected, 100);

  // What a gRPC-web client sends behind its last message, again and again.
  const web = headerBlock([
    [":method", "POST"],
    [":scheme", "http"],
    [":path", REFLECTION],
    [":authority", "127.0.0.1"],
    ["content-type", "application/grpc-web+proto"],
  ]);
  const streams = many(4, (i) => 2 * i + 1);
  const ends = Buffer.alloc(15_000, Buffer.of(0x80, 0, 0, 0, 0));
  const opened = streams.map((stream) => frame(FRAME.headers, FLAG.endHeaders, stream, web));
  const ended = many(8, () => Buffer.concat(streams.map((stream) => frame(FRAME.data, 0, stream, ends))));
  const enveloped = await send(10, [Buffer.concat([opening(), ...opened]), ...ended], 1_000);
  assertEquals(enveloped.connected, 10);

  const expecting = Buffer.from(
    `POST ${CHECK} HTTP/1.1\r\nhost: a\r\nexpect: x\r\ncontent-length: 0\r\n\r\n`.repeat(20_000),
  );
  const { closed } = await send(20, [expecting], 20_000);
  assertEquals(closed, 20);
});
