/**
 * How calls over HTTP/2 end that are not simply answered: by their time, by their caller, through interceptors.
 * Compared with connect-node's own adapter where that has the same promise.
 */
import { assert, assertEquals } from "@std/assert";
import * as grpc from "@grpc/grpc-js";
import { deadline } from "../../src/rpc/deadline.ts";
import { errorBoundary } from "../../src/rpc/interceptors.ts";
import { callHeaders, ERROR, FLAG, FRAME, frame } from "../support/http2_frames.ts";
import { CHECK, WATCH } from "../support/listening.ts";
import { ask, endOf, type RawAnswer } from "../support/http2_answers.ts";
import { RawPeer } from "../support/raw_peer.ts";
import { asking, type BothHandlers, withBothHandlers } from "../support/both_handlers.ts";
import { SILENT } from "../support/silent_log.ts";

/** RFC 9113, section 7. */
const RESET_CODES = [0x0, 0x1, 0x2, 0x5, 0x7, 0x8, 0xb, 0xc, 0xd, 0xff];

Deno.test("a handler learns why its caller has gone", async (t) => {
  await withBothHandlers({}, async (handlers) => {
    for (const path of [CHECK, WATCH]) {
      for (const code of RESET_CODES) {
        await t.step(`${path}, reset with ${code}`, async () => {
          const [expected, actual] = await both(handlers, async (handler) => {
            const { waiting: before, left: after } = handler;
            await ask(handler.url, path, { body: [asking("wait")], then: code }, { before, after });
            return handler.notes.splice(0);
          });
          assertEquals(actual, expected);
          assertEquals(actual!.length, 1);
        });
      }
    }
  });
});

Deno.test("a call whose handler hangs ends with its own deadline", async () => {
  const interceptors = [errorBoundary(SILENT), deadline(60_000, SILENT)];
  await withBothHandlers({ interceptors, unaryMsMax: 60_000 }, async (handlers) => {
    for (const timeout of ["30m", "0n"]) {
      const headers = { "grpc-timeout": timeout, "x-request-id": "abc" };
      const [expected, actual] = await both(
        handlers,
        ({ url }) => ask(url, CHECK, { headers, body: [asking("hang")] }),
      );
      assertEquals(decoded(actual!), decoded(expected!));
      assertEquals(decoded(actual!), [
        "grpc-message: the operation timed out",
        "grpc-status: 4",
        "x-request-id: abc",
      ]);
    }
  });
});

Deno.test("a call without a deadline ends with the server's limit, and its handler learns it", async () => {
  const interceptors = [errorBoundary(SILENT), deadline(30, SILENT)];
  await withBothHandlers({ interceptors, unaryMsMax: 30 }, async (handlers) => {
    const [expected, actual] = await both(handlers, ({ url }) => ask(url, CHECK, { body: [asking("hang")] }));
    assertEquals(decoded(actual!), decoded(expected!));
    assertEquals(decoded(actual!), ["grpc-message: the server's limit of 30 ms passed", "grpc-status: 4"]);
    const { left } = handlers.ours;
    await ask(handlers.ours.url, CHECK, { body: [asking("wait")] });
    await left;
    assertEquals(handlers.ours.notes, [
      "aborted: ConnectError 4 [deadline_exceeded] the server's limit of 30 ms passed",
    ]);
  });
});

Deno.test("a call whose message never comes ends with its own deadline, and so does its stream", async () => {
  await withBothHandlers({ interceptors: [deadline(60_000, SILENT)] }, async ({ ours }) => {
    const peer = await RawPeer.http2(Number(new URL(ours.url).port));
    const block = callHeaders(CHECK, [["grpc-timeout", "50m"]]);
    peer.send(frame(FRAME.headers, FLAG.endHeaders, 1, block));
    peer.send(frame(FRAME.data, 0, 1, asking("report").subarray(0, 7)));
    await peer.until(() => peer.got(FRAME.reset, 0, 1), "the stream closed");
    const trailers = peer.frames.find((one) => one.type === FRAME.headers && (one.flags & FLAG.endStream) !== 0);
    assert(trailers !== undefined, "an answer before it");
    assertEquals(peer.errorCodes(FRAME.reset), [ERROR.none]);
    await peer.leave();

    const headers = { "grpc-timeout": "50m" };
    const body = [asking("report").subarray(0, 7)];
    const answer = await ask(ours.url, CHECK, { headers, body, then: "wait" });
    assertEquals(decoded(answer), ["grpc-message: the operation timed out", "grpc-status: 4"]);
    const inTime = await ask(ours.url, CHECK, { headers, body: [asking("hang")] });
    const header = inTime.header.filter((line) => line !== "x-early: 1");
    assertEquals([header, inTime.trailer], [answer.header, answer.trailer]);
  });
});

Deno.test("a message arrives at grpc-js as it was", async () => {
  const text = `goods 1, 2: "3" 100% ü\u{1f600}`;
  await withBothHandlers({}, async ({ ours }) => {
    for (const path of [CHECK, WATCH]) {
      const client = new grpc.Client(new URL(ours.url).host, grpc.credentials.createInsecure());
      const same = (bytes: ReturnType<typeof asking>) => bytes;
      const error = await new Promise<grpc.ServiceError | null>((resolve) => {
        const request = asking(`throw 10 ${text}`).subarray(5);
        client.makeUnaryRequest(path, same, same, request, (error) => resolve(error));
      });
      client.close();
      assertEquals([error?.code, error?.details], [grpc.status.ABORTED, text]);
    }
  });
});

/** What both answer, connect-node's adapter first. */
function both<T>({ stock, ours }: BothHandlers, run: (handler: BothHandlers["stock"]) => Promise<T>): Promise<T[]> {
  return Promise.all([run(stock), run(ours)]);
}

/** What an answer says of its end. */
function decoded(answer: RawAnswer): string[] {
  return endOf(answer).filter((line) => /^(grpc-(message|status)|x-request-id): /.test(line))
    .map((line) => line.startsWith("grpc-message: ") ? decodeURIComponent(line) : line);
}
