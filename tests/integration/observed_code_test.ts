/** What a call came to is observed as its caller has it, where it ends before any handler and any interceptor too. */
import { assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import { Health } from "../../src/gen/health/v1/health_pb.ts";
import { createRpcHandler } from "../../src/rpc/router.ts";
import { eachVersion } from "../support/http_versions.ts";
import { CHECK, withListener } from "../support/listening.ts";
import { SILENT } from "../support/silent_log.ts";

Deno.test("a deadline that can't be read is observed as INVALID_ARGUMENT, by every protocol", async () => {
  const ends: string[] = [];
  const handler = createRpcHandler({
    log: SILENT,
    observer: { begin: () => undefined, end: (_call, _carrier, { code }) => void ends.push(code) },
    routes: (router) => router.service(Health, { check: () => ({}) }),
  });
  const wrong = { "grpc-timeout": "abc", "connect-timeout-ms": "abc" };
  const grpc = Buffer.alloc(5);
  const forms = {
    "application/json": Buffer.from("{}"),
    "application/proto": Buffer.alloc(0),
    "application/grpc+proto": grpc,
    "application/grpc-web+proto": grpc,
  };
  await withListener({ handler }, async ({ listener }) => {
    await eachVersion(listener.url, async (version, { request }) => {
      for (const [type, body] of Object.entries(forms)) {
        for (const [more, code] of [[wrong, "INVALID_ARGUMENT"], [{}, "OK"]] as const) {
          ends.length = 0;
          await request("POST", CHECK, { "content-type": type, ...more }, [body]);
          assertEquals(ends, [code], `${version} ${type}`);
        }
      }
    });
  });
});
