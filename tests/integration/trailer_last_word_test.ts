/** Errors of any size, thrown by a handler that bounds nothing: the last word on trailers is the transport's. */
import { Code, ConnectError } from "@connectrpc/connect";
import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { Buffer } from "node:buffer";
import { ErrorInfoSchema } from "../../src/gen/google/rpc/error_details_pb.ts";
import { Health } from "../../src/gen/health/v1/health_pb.ts";
import { createRpcHandler } from "../../src/rpc/router.ts";
import { MESSAGE_BYTES_MAX, TRAILER_BYTES_MAX } from "../../src/rpc/trailer_budget.ts";
import { callGrpcJs, grpcJsService } from "../support/clients/grpc_js.ts";
import { ask, endOf } from "../support/http2_answers.ts";
import { CHECK, WATCH, withListener } from "../support/listening.ts";
import { SILENT } from "../support/silent_log.ts";

const MEGABYTE = 1_000_000;
const TEXTS: Readonly<Record<string, string>> = {
  "plain": "x".repeat(MEGABYTE),
  "of four bytes a character": "🫙".repeat(MEGABYTE / 4),
  "of three bytes, after one": "x" + "€".repeat(MEGABYTE / 3),
  "of percent signs": "%".repeat(MEGABYTE),
};
const ERRORS: Readonly<Record<string, (text: string) => ConnectError>> = {
  "a text": (text) => new ConnectError(text, Code.FailedPrecondition),
  "a text and details": (text) =>
    new ConnectError(text, Code.FailedPrecondition, undefined, [
      { desc: ErrorInfoSchema, value: { reason: "LARGE", metadata: { text } } },
    ]),
  "a text and metadata": (text) => new ConnectError(text, Code.FailedPrecondition, { "x-more": "y".repeat(20_000) }),
};

for (const [what, make] of Object.entries(ERRORS)) {
  Deno.test(`${what} of a megabyte ends in trailers that fit, with the code that was thrown`, async (t) => {
    let text = "";
    const fail = () => {
      throw make(text);
    };
    const handler = createRpcHandler({
      log: SILENT,
      routes: (router) =>
        router.service(Health, {
          check: fail,
          // deno-lint-ignore require-yield
          async *watch() {
            fail();
          },
        }),
    });
    await withListener({ handler }, async ({ listener: { url } }) => {
      const service = grpcJsService(url, "health/v1/health.proto", "grpc.health.v1.Health");
      for (const [name, each] of Object.entries(TEXTS)) {
        await t.step(name, async () => {
          text = each;
          const result = await callGrpcJs(service, "Check", {});
          assertEquals("code" in result && result.code, "FAILED_PRECONDITION");
          for (const path of [CHECK, WATCH]) {
            const fields = endOf(await ask(url, path, { body: [Buffer.alloc(5)] }));
            assertLessOrEqual(fields.reduce((sum, one) => sum + one.length - 2 + 32, 0), TRAILER_BYTES_MAX);
            const message = fields.find((one) => one.startsWith("grpc-message: "))!.slice("grpc-message: ".length);
            assertLessOrEqual(message.length, MESSAGE_BYTES_MAX);
            const sent = decodeURIComponent(message);
            assert(sent.length > 100 && text.startsWith(sent), sent);
          }
        });
      }
      service.close();
    });
  });
}
