/** Retries that docs/clients.md leaves to a library: it makes them by itself, of errors of handlers too. */
import { Code, ConnectError } from "@connectrpc/connect";
import { assertEquals } from "@std/assert";
import { Health } from "../../src/gen/health/v1/health_pb.ts";
import { createRpcHandler } from "../../src/rpc/router.ts";
import { callGrpcJs, grpcJsService } from "../support/clients/grpc_js.ts";
import { withListener } from "../support/listening.ts";
import { SILENT } from "../support/silent_log.ts";

const RETRIES = {
  methodConfig: [{
    name: [{ service: "grpc.health.v1.Health" }],
    retryPolicy: {
      maxAttempts: 5,
      initialBackoff: "0.1s",
      maxBackoff: "2s",
      backoffMultiplier: 2,
      retryableStatusCodes: ["UNAVAILABLE", "ABORTED", "RESOURCE_EXHAUSTED"],
    },
  }],
};

Deno.test("grpc-js repeats by its policy what a handler refused, and nothing that has no such code", async () => {
  let refusals: Code[] = [];
  let calls = 0;
  const handler = createRpcHandler({
    log: SILENT,
    routes: (router) =>
      router.service(Health, {
        check() {
          calls++;
          const code = refusals.shift();
          if (code !== undefined) throw new ConnectError("not now", code);
          return {};
        },
      }),
  });
  await withListener({ handler }, async ({ listener: { url } }) => {
    const options = { "grpc.service_config": JSON.stringify(RETRIES) };
    const service = grpcJsService(url, "health/v1/health.proto", "grpc.health.v1.Health", { options });
    const ask = async (...codes: Code[]) => {
      [refusals, calls] = [codes, 0];
      const result = await callGrpcJs(service, "Check", {}, { deadline: Date.now() + 20_000 });
      return ["code" in result ? result.code : "OK", calls];
    };
    assertEquals(await ask(Code.Unavailable, Code.Aborted, Code.ResourceExhausted), ["OK", 4]);
    assertEquals(await ask(Code.FailedPrecondition), ["FAILED_PRECONDITION", 1]);
    service.close();
  });
});
