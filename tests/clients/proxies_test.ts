/**
 * nginx, HAProxy and Caddy in front of the service, set by the files of deploy/: gRPC, gRPC-web, Connect and health
 * checks go through one port of theirs over TLS, with the largest errors, large answers and streams.
 */
import { assert, assertEquals, assertGreater } from "@std/assert";
import { create, toBinary } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-node";
import { Buffer } from "node:buffer";
import https from "node:https";
import type { ClientReadableStream } from "@grpc/grpc-js";
import { type WatchInvResponse, WatchService } from "../../src/gen/inventory/v1/watch_pb.ts";
import { SellRequestSchema } from "../../src/gen/inventory/v1/inventory_pb.ts";
import { inParallel } from "../support/callers.ts";
import { again } from "../support/clients/client.ts";
import { grpcJsClient, grpcJsService } from "../support/clients/grpc_js.ts";
import { lockRow } from "../support/contention.ts";
import { type Proxy, startCaddy, startHaproxy, startNginx } from "../support/proxies.ts";
import { v1Path } from "../support/raw_call.ts";
import { http2Request } from "../support/raw_peer.ts";
import { post, serverTest } from "../support/server.ts";
import { connectSource, grpcJsSource } from "../support/stream_sources.ts";
import { watchModule } from "../support/talks.ts";
import { TLS_CERTIFICATE, WITH_TLS } from "../support/tls_server.ts";
import { Watcher } from "../support/watching_client.ts";
import { eventually } from "../support/eventually.ts";

/** More short lines than the details of one error may name. */
const LINES = 120;
const PROXIES = { nginx: startNginx, HAProxy: startHaproxy, Caddy: startCaddy };

const BEHIND_PROXY = { env: { TRUSTED_PROXIES: "127.0.0.1", ACCESS_LOG_SAMPLE: "1" } };

const BEHIND_PROXY_WITH_TLS = { ...WITH_TLS, env: { ...WITH_TLS.env, ...BEHIND_PROXY.env } };

serverTest("through proxies as deploy/ sets them", BEHIND_PROXY, async (server, step) => {
  for (const [number, [name, start]] of Object.entries(PROXIES).entries()) {
    await using proxy = await start(server.url);
    await using client = grpcJsClient(proxy.url, { ca: TLS_CERTIFICATE });
    const goods = 1000 * (number + 1);

    await step(`${name}: Connect over HTTP/1.1`, async () => {
      await inParallel(LINES, 20, async (i) => {
        const request = { goodsId: goods + i, num: 10_000 };
        const { body } = await post(proxy.url + v1Path("SetInv"), request, TLS_CERTIFICATE);
        assertEquals(body.num, 10_000);
      });
    });

    await step(`${name}: gRPC, sold once, with the largest error`, async () => {
      const order = { orderId: `${name}-1`, goodsInfo: [{ goodsId: goods, num: 1 }] };
      const sold = await client.call("Sell", order);
      assert("answer" in sold, JSON.stringify(sold));
      assertEquals(await client.call("Sell", order), again(sold));
      const lines = Array.from({ length: LINES }, (_, i) => ({ goodsId: goods + i, num: 99_999 }));
      const refused = await client.call("Sell", { orderId: `${name}-2`, goodsInfo: lines });
      assertEquals("code" in refused && refused.code, "FAILED_PRECONDITION");
      assertGreater("code" in refused ? refused.details.length : 0, 50);
    });

    await step(`${name}: gRPC, a batch of a thousand orders, all answered`, async () => {
      const orders = Array.from({ length: 1000 }, (_, i) => ({
        orderId: `${name}-of-a-batch-${i}`,
        goodsInfo: [{ goodsId: goods, num: 1 }, { goodsId: goods + 1, num: 1 }],
      }));
      const result = await client.call("SellBatch", { orders });
      assert("answer" in result, JSON.stringify(result));
      const verdicts = result.answer.verdicts as { sold?: object }[];
      assertEquals(verdicts.filter(({ sold }) => sold !== undefined && sold !== null).length, 1000);
    });

    await step(`${name}: the deadline of a call reaches the service`, async () => {
      await using _locked = await lockRow(server.databaseOwnerUrl, goods + 2);
      const request = create(SellRequestSchema, { orderId: `${name}-3`, goodsInfo: [{ goodsId: goods + 2, num: 1 }] });
      const message = toBinary(SellRequestSchema, request);
      // A client of our own, which would wait for ever: it is the service that keeps the deadline.
      const answer = await http2Request(
        proxy.url,
        {
          ":method": "POST",
          ":path": v1Path("Sell"),
          "content-type": "application/grpc+proto",
          "grpc-timeout": "300m",
          te: "trailers",
        },
        Buffer.from([0, 0, 0, 0, message.length, ...message]),
        TLS_CERTIFICATE,
      );
      assertEquals(answer.headers["grpc-status"] ?? answer.trailers["grpc-status"], "4");
    });

    await step(`${name}: gRPC-web, with its trailers in the body`, async () => {
      const frame = new Uint8Array([0, 0, 0, 0, 3, 0x08, goods & 0x7f | 0x80, goods >> 7]);
      const { status, body } = await send(proxy.url + v1Path("InvDetail"), "POST", {
        "content-type": "application/grpc-web+proto",
        "x-grpc-web": "1",
      }, frame);
      assertEquals([status, body[0]], [200, 0]);
      assert(/grpc-status: ?0/i.test(body.toString("latin1")), body.toString("latin1"));
    });

    await step(`${name}: gRPC-web, the largest error`, async () => {
      const lines = Array.from({ length: LINES }, (_, i) => ({ goodsId: goods + i, num: 99_999 }));
      const request = create(SellRequestSchema, { orderId: `${name}-4`, goodsInfo: lines });
      const message = Buffer.from(toBinary(SellRequestSchema, request));
      const prefix = Buffer.alloc(5);
      prefix.writeUInt32BE(message.length, 1);
      const headers = { "content-type": "application/grpc-web+proto", "x-grpc-web": "1" };
      const { status, body } = await send(
        proxy.url + v1Path("Sell"),
        "POST",
        headers,
        Buffer.concat([prefix, message]),
      );
      assertEquals([status, /grpc-status: ?9/i.test(body.toString("latin1"))], [200, true], body.toString("latin1"));
      assertGreater(body.length, 4096);
    });

    await step(`${name}: who calls is known by its own address, whatever it says itself`, async () => {
      const headers = { "content-type": "application/json", "x-forwarded-for": "203.0.113.5", forwarded: "for=::1" };
      const caller = `127.0.0.${9 + number}`;
      const body = Buffer.from(JSON.stringify({ goodsId: goods }));
      await send(proxy.url + v1Path("InvDetail"), "POST", headers, body, caller);
      const isSaid = () => server.output.stderr.includes(`"peer":"forwarded ${caller}"`);
      await eventually(isSaid, "a line for the call");
    });

    await step(`${name}: streams of changes, each message as it comes`, () => watchThrough(proxy, goods));

    await step(`${name}: a health check by HTTP, and a watch whose first word is not delayed`, async () => {
      const { status, body } = await send(`${proxy.url}/healthz`, "GET", {});
      assertEquals([status, body.toString().trim()], [200, "SERVING"]);
      const health = grpcJsService(proxy.url, "health/v1/health.proto", "grpc.health.v1.Health", {
        ca: TLS_CERTIFICATE,
      });
      const { promise, resolve, reject } = Promise.withResolvers<{ status: string }>();
      const startWatch = health.Watch as unknown as (request: object) => ClientReadableStream<{ status: string }>;
      const watch = startWatch.call(health, {});
      watch.on("data", resolve).on("error", reject);
      assertEquals((await promise).status, "SERVING");
      watch.removeAllListeners("error").on("error", () => {}).cancel();
      health.close();
    });
  }
});

serverTest("through nginx that gathers answers, streams come message by message", BEHIND_PROXY, async (server) => {
  await using proxy = await startNginx(server.url, { "proxy_buffering off;": "proxy_buffering on;" });
  await post(proxy.url + v1Path("SetInv"), { goodsId: 1, num: 10 }, TLS_CERTIFICATE);
  await watchThrough(proxy, 1);
});

serverTest("through HAProxy to a server that speaks TLS", BEHIND_PROXY_WITH_TLS, async (server) => {
  await using proxy = await startHaproxy(server.url);
  await using client = grpcJsClient(proxy.url, { ca: TLS_CERTIFICATE });
  const { body } = await post(proxy.url + v1Path("SetInv"), { goodsId: 1, num: 10 }, TLS_CERTIFICATE);
  assertEquals(body.num, 10);
  const sold = await client.call("Sell", { orderId: "behind-tls", goodsInfo: [{ goodsId: 1, num: 1 }] });
  assert("answer" in sold, JSON.stringify(sold));
});

/** Each change arrives before the next one is made, over all protocols, by the program that docs/clients.md has too. */
async function watchThrough(proxy: Proxy, goodsId: number): Promise<void> {
  const ca = TLS_CERTIFICATE;
  const sources = [
    grpcJsSource(proxy.url, { ca }),
    connectSource(proxy.url, "gRPC-web", "1.1", ca),
    connectSource(proxy.url, "Connect", "1.1", ca),
  ];
  const watchers = sources.map((source, i) =>
    new Watcher({ name: `${i}`, dial: () => source, request: { goodsIds: [goodsId] }, random: Math.random }).start()
  );
  const { watch } = await watchModule();
  const over = new AbortController();
  const seen: number[] = [];
  const take = (message: WatchInvResponse) => {
    if (message.event.case === "changes") seen.push(...message.event.value.changes.map(({ level }) => level!.num));
  };
  const transport = createGrpcWebTransport({ baseUrl: proxy.url, httpVersion: "1.1", nodeOptions: { ca } });
  const { watchInv } = createClient(WatchService, transport);
  const watching = watch(watchInv, { goodsIds: [goodsId], changesOnly: true }, take, { signal: over.signal });
  try {
    await Promise.all(watchers.map((watcher) => watcher.until(({ levels }) => levels.has(`${goodsId}@0`))));
    for (const num of [20_001, 20_002, 20_003]) {
      await post(proxy.url + v1Path("SetInv"), { goodsId, num }, ca);
      await Promise.all(watchers.map((it) => it.until(({ levels }) => levels.get(`${goodsId}@0`)!.onHand === num)));
      if (seen.length > 0 || num > 20_001) await eventually(() => seen.at(-1) === num, `the page sees ${num}`);
    }
    assertEquals(watchers.flatMap(({ faults }) => faults), []);
  } finally {
    over.abort();
    await Promise.all([watching, ...watchers.map((watcher) => watcher.stop())]);
    sources.forEach((source) => source.close());
  }
}

/** A request over HTTP/1.1 and TLS. */
function send(
  url: string,
  method: string,
  headers: Record<string, string>,
  body?: Uint8Array,
  localAddress?: string,
): Promise<{ readonly status: number | undefined; readonly body: Buffer }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number | undefined; body: Buffer }>();
  const request = https.request(url, {
    method,
    headers,
    agent: false,
    ca: TLS_CERTIFICATE,
    ...(localAddress === undefined ? {} : { localAddress }),
  }, async (response) => {
    const parts: Buffer[] = [];
    for await (const part of response) parts.push(part);
    resolve({ status: response.statusCode, body: Buffer.concat(parts) });
  });
  request.on("error", reject);
  request.end(body);
  return promise;
}
