/** A load balancer's view: the health service's Watch over `@grpc/grpc-js`, with the contract of grpc-health-check. */
import type * as grpc from "@grpc/grpc-js";
import { grpcJsService } from "./clients/grpc_js.ts";
import { eventually } from "./eventually.ts";

/** An open Watch. */
export interface HealthWatch extends Disposable {
  /** What it has heard so far. */
  readonly statuses: readonly string[];
  /** Resolves when it has heard so. */
  hears(status: string): Promise<void>;
  /** Resolves when the server has ended it, without an error. */
  readonly ended: Promise<void>;
}

/** Watches a service, or the whole server. */
export function watchHealth(url: string, service = ""): HealthWatch {
  const client = grpcJsService(url, "health/v1/health.proto", "grpc.health.v1.Health");
  const watch = client.Watch as unknown as (request: object) => grpc.ClientReadableStream<{ status: string }>;
  const statuses: string[] = [];
  const stream = watch.call(client, { service });
  stream.on("data", ({ status }) => statuses.push(status));
  const ended = new Promise<void>((resolve) => stream.once("end", resolve));
  // It ends when the server does.
  stream.on("error", () => {});
  return {
    statuses,
    ended,
    hears: (status) => eventually(() => statuses.includes(status), `health says ${status}`),
    [Symbol.dispose]() {
      stream.cancel();
      client.close();
    },
  };
}
