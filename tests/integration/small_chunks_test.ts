/** Bodies in pieces of one byte, and in how many chunks they reach Connect's handlers. */
import { assertEquals, assertLess } from "@std/assert";
import { Buffer } from "node:buffer";
import type { UniversalHandlerFn } from "@connectrpc/connect/protocol";
import { callerValues } from "../../src/transport/addresses.ts";
import { answerHttp1 } from "../../src/rpc/universal/http1.ts";
import { answerUniversally, type Receive } from "../../src/rpc/universal/http2.ts";
import { MessageBudget } from "../../src/rpc/messages/budget.ts";
import { receiveRequest } from "../../src/rpc/messages/received_body.ts";
import { Turns } from "../../src/rpc/messages/turns.ts";
import type { WireHandler } from "../../src/transport/exchange.ts";
import { many, openCall } from "../support/http2_calls.ts";
import { FLAG, FRAME, frame } from "../support/http2_frames.ts";
import { CHECK, countStatus, withListener } from "../support/listening.ts";
import { grpcMessage } from "../support/raw_call.ts";
import { RawPeer } from "../support/raw_peer.ts";

const MESSAGE = grpcMessage(Buffer.alloc(2_000, "x"));
/** Prefix, message, and what may come on top. */
const CHUNKS_MAX = 5;

Deno.test("a body in pieces of one byte reaches a handler in few chunks", async () => {
  let read = { bytes: 0, chunks: 0 };
  const answer = (async ({ body }) => {
    read = { bytes: 0, chunks: 0 };
    for await (const chunk of body as AsyncIterable<Uint8Array>) {
      read.bytes += chunk.length;
      read.chunks++;
    }
    return { status: 200 };
  }) as UniversalHandlerFn;
  const fail = (error: unknown) => {
    throw error;
  };
  const header = new Headers({ "content-type": "application/grpc+proto" });
  const receiving = {
    address: "",
    budget: new MessageBudget(1_000_000),
    turns: new Turns({ nowMs: () => performance.now(), later: (then, afterMs) => void setTimeout(then, afterMs) }),
  };
  const check = { bytesMax: MESSAGE.length, isSingle: true, check: (bytes: Uint8Array) => ({ becomes: bytes.length }) };
  const receive: Receive = (chunks, header, values) => receiveRequest(chunks, header, check, receiving, values);
  const handler: WireHandler = {
    http1: (...asked) => answerHttp1(answer, asked, receive, callerValues(""), fail),
    http2: (call) =>
      void answerUniversally(
        answer,
        call,
        { url: "http://a/", header, values: callerValues(""), isStream: false },
        receive,
      ).catch(fail),
  };
  await withListener({ handler }, async ({ listener }) => {
    const second = await RawPeer.http2(listener.port);
    second.send(openCall(CHECK, 1));
    second.send(Buffer.concat(many(MESSAGE.length, (n) => frame(FRAME.data, 0, 1, MESSAGE.subarray(n, n + 1)))));
    second.send(frame(FRAME.data, FLAG.endStream, 1));
    await second.until(() => second.got(FRAME.headers, 0, 1), "an answer");
    assertEquals(read.bytes, MESSAGE.length);
    assertLess(read.chunks, CHUNKS_MAX);
    await second.leave();

    const first = await RawPeer.http1(listener.port);
    first.send(`POST ${CHECK} HTTP/1.1\r\nhost: a\r\ncontent-type: application/grpc-web\r\n`);
    first.send("transfer-encoding: chunked\r\n\r\n");
    const pieces = many(MESSAGE.length, (n) => [Buffer.from("1\r\n"), MESSAGE.subarray(n, n + 1), Buffer.from("\r\n")]);
    first.send(Buffer.concat(pieces.flat()));
    first.send("0\r\n\r\n");
    await first.until(() => countStatus(first, 200) === 1, "an answer over HTTP/1.1");
    assertEquals(read.bytes, MESSAGE.length);
    assertLess(read.chunks, CHUNKS_MAX);
    await first.leave();
  });
});
