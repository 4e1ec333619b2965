/**
 * The no-op service behind connect-node's adapter on a plain HTTP/2 server, with Holdfast's interceptors and none of
 * its listener: what a call costs with the libraries as they come.
 */
import http2 from "node:http2";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { loadConfig } from "../../src/config/config.ts";
import { deadline } from "../../src/rpc/deadline.ts";
import { errorBoundary, refuseWhileDraining } from "../../src/rpc/interceptors.ts";
import { createLog } from "../../src/telemetry/create_log.ts";
import { BenchService } from "../gen/bench/v1/bench_pb.ts";
import { converse } from "../load/conversation.ts";
import { onLoopback } from "./loopback.ts";

await converse(async () => {
  const log = createLog("warn", "pretty");
  const { requestTimeoutMsMax } = loadConfig(() => undefined);
  const server = http2.createServer(connectNodeAdapter({
    interceptors: [errorBoundary(log), refuseWhileDraining(() => false, new Set()), deadline(requestTimeoutMsMax, log)],
    routes: (router) => router.service(BenchService, { noop: () => ({}) }),
  }));
  return await onLoopback(server);
});
