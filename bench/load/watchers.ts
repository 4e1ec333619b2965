/**
 * A process that watches stock: as many streams as the pages and services of a busy shop have, each of other goods, and
 * of all of them together every goods once. What comes is read and thrown away, so that the server is what is measured.
 */
import { create, toBinary } from "@bufbuild/protobuf";
import { WatchInvRequestSchema } from "../../src/gen/inventory/v1/watch_pb.ts";
import { GOODS } from "../scenarios/scenario.ts";
import { converse } from "./conversation.ts";
import { GrpcConnection } from "./grpc_connection.ts";

/** Streams; a server takes a hundred on a connection. */
const WATCHERS = 500;
const PER_CONNECTION = 100;
/** Each reads a snapshot at its beginning, and so many of these may wait for their turn at once. */
const OPENED_TOGETHER = 50;
const PATH = "/inventory.v1.WatchService/WatchInv";
const GOODS_EACH = GOODS / WATCHERS;

await converse(async ({ variantUrls: { watched: url = "" } }) => {
  let isClosing = false;
  const connections = await Promise.all(
    Array.from({ length: WATCHERS / PER_CONNECTION }, () => GrpcConnection.connect(url, PATH)),
  );
  const watch = (i: number) => {
    const goodsIds = Array.from({ length: GOODS_EACH }, (_, goods) => 1 + i * GOODS_EACH + goods);
    const request = toBinary(WatchInvRequestSchema, create(WatchInvRequestSchema, { goodsIds }));
    const { promise: begun, resolve } = Promise.withResolvers<void>();
    let frames = 0;
    // How it begins, and its snapshot.
    const came = () => ++frames === 2 && resolve();
    connections[i % connections.length]!.call(request, came).catch((error) => error).then((end) => {
      if (isClosing) return;
      // Without all of them the rate beside them says nothing.
      console.error("A stream ended under the bench:", end);
      Deno.exit(1);
    });
    return begun;
  };
  for (let from = 0; from < WATCHERS; from += OPENED_TOGETHER) {
    await Promise.all(Array.from({ length: OPENED_TOGETHER }, (_, i) => watch(from + i)));
  }
  return {
    close() {
      isClosing = true;
      for (const connection of connections) connection.close();
      return Promise.resolve();
    },
  };
});
