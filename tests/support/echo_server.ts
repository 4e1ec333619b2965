/**
 * A small server over the listener, as a process of its own that tests may treat as badly as they like: it answers
 * grpc.health.v1.Health with SERVING, and Check with service "echo" and Watch likewise. Prints the line that the real
 * program prints, so that a test starts either of them the same way.
 */
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { Health, HealthCheckResponse_ServingStatus } from "../../src/gen/health/v1/health_pb.ts";
import { listen } from "../../src/rpc/listener.ts";
import { createLog } from "../../src/telemetry/create_log.ts";

const status = HealthCheckResponse_ServingStatus.SERVING;

const handler = connectNodeAdapter({
  readMaxBytes: 65_536,
  routes(router) {
    router.service(Health, {
      check: () => ({ status }),
      async *watch(_request, context) {
        yield { status };
        await new Promise((resolve) => context.signal.addEventListener("abort", resolve));
      },
    });
  },
});

const listener = await listen({
  host: "127.0.0.1",
  port: Number(Deno.env.get("PORT") ?? 0),
  handler,
  corsOrigins: [],
  log: createLog("error", "json"),
});
console.log(`Holdfast listens on ${listener.url}`);

Deno.addSignalListener("SIGTERM", async () => {
  await listener.drain(1_000);
  Deno.exit(0);
});
