/** Fields that no message has: they are read past, and nothing is made of them, however a message comes. */
import { assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import { gzipSync } from "node:zlib";
import { Health, HealthCheckResponse_ServingStatus } from "../../src/gen/health/v1/health_pb.ts";
import { createRpcHandler } from "../../src/rpc/router.ts";
import { CHECK, withListener } from "../support/listening.ts";
import { bytesField, grpcMessage, rawGrpc, rawHttp1 } from "../support/raw_call.ts";
import { SILENT } from "../support/silent_log.ts";

Deno.test("unknown fields are not kept: two bytes each on the wire would be an object each", async () => {
  const kept: unknown[] = [];
  const handler = createRpcHandler({
    log: SILENT,
    readMaxBytes: 65_536,
    routes(router) {
      router.service(Health, {
        check(request) {
          kept.push([request.service, request.$unknown]);
          return { status: HealthCheckResponse_ServingStatus.SERVING };
        },
      });
    },
  });
  const message = Buffer.concat([Buffer.alloc(1_000, Buffer.of(0x7a, 0)), bytesField(1, Buffer.from("a"))]);
  const packed = grpcMessage(gzipSync(message), { compressed: true });
  await withListener({ handler }, async ({ listener: { url } }) => {
    assertEquals(await rawGrpc(url, { path: CHECK, body: grpcMessage(message) }), "OK");
    assertEquals(await rawGrpc(url, { path: CHECK, headers: { "grpc-encoding": "gzip" }, body: packed }), "OK");
    const headers = { "content-type": "application/proto" };
    assertEquals(await rawHttp1(url + CHECK, { headers, body: new Uint8Array(message) }), "200");
  });
  assertEquals(kept, Array(3).fill(["a", undefined]));
});
