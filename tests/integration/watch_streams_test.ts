/**
 * Streams of changes of a whole server: a message every so often, whatever cuts connections that are silent; ends by
 * age, at a caller's deadline and on drain, each taken up again; and limits of their own, which leave those of calls
 * alone. A client that stops reading costs one message and its folded changes.
 */
import { assert, assertEquals } from "@std/assert";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { Buffer } from "node:buffer";
import { type App, startApp } from "../../src/app.ts";
import { loadConfig } from "../../src/config/config.ts";
import {
  WatchInvRequestSchema,
  type WatchInvResponse,
  WatchInvResponseSchema,
  WatchService,
} from "../../src/gen/inventory/v1/watch_pb.ts";
import { createLog } from "../../src/telemetry/create_log.ts";
import { call } from "../support/callers.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { openCall } from "../support/http2_calls.ts";
import { FLAG, FRAME, frame, uint32 } from "../support/http2_frames.ts";
import { grpcMessage } from "../support/raw_call.ts";
import { RawPeer } from "../support/raw_peer.ts";
import { connectSource, grpcJsSource, type StreamSource } from "../support/stream_sources.ts";
import { startProxy } from "../support/tcp_proxy.ts";
import { Watcher } from "../support/watching_client.ts";
import { eventually } from "../support/eventually.ts";

const log = createLog("silent" as "error", "json");
const HEARTBEAT_MS = 40;
/** How often a proxy looks, and how often it looks in vain before it cuts. */
const LOOK_MS = 20;
const IDLE_LOOKS = 25;
const PATH = "/inventory.v1.WatchService/WatchInv";
/** Of 500 sales each: more than wait one by one, and than two messages under way take, of a part of a read each. */
const BATCHES = 16;

async function withApp(
  env: Record<string, string>,
  run: (app: App, database: TestDatabase) => Promise<void>,
  heartbeatMs = HEARTBEAT_MS,
): Promise<void> {
  await using database = await createTestDatabase();
  const settings: Record<string, string> = {
    PORT: "0",
    CONCURRENCY: "optimistic",
    ADDRESS_SHARE_MAX: "1",
    DATABASE_URL: database.serverUrl,
    ...env,
  };
  const app = await startApp(loadConfig((name) => settings[name]), { log, heartbeatMs });
  try {
    await eventually(async () => (await call(app.url, "SetInv", { goodsId: 1, num: 1000 })).code === "ok", "it serves");
    await run(app, database);
  } finally {
    await app.close();
  }
}

/** Every client over every protocol, with its name. */
function sourcesOf(url: string): [string, StreamSource][] {
  return [
    ["grpc-js", grpcJsSource(url)],
    ["gRPC-web over HTTP/1.1", connectSource(url, "gRPC-web", "1.1")],
    ["gRPC-web over HTTP/2", connectSource(url, "gRPC-web", "2")],
    ["Connect over HTTP/1.1", connectSource(url, "Connect", "1.1")],
  ];
}

const sell = (app: App, orderId: string) =>
  call(app.url, "Sell", { orderId, goodsInfo: [{ goodsId: 1, num: 1 }] }).then(({ code }) => assertEquals(code, "ok"));

Deno.test("streams end at their age and are taken up again, over every protocol, without a gap", async () => {
  await withApp({ WATCH_AGE_MS_MAX: "1000" }, async (app) => {
    const all = sourcesOf(app.url);
    const watchers = all.map(([name, source]) =>
      new Watcher({ name, dial: () => source, request: { goodsIds: [1] }, random: Math.random }).start()
    );
    const ledger = new Watcher({
      name: "ledger",
      dial: () => all[1]![1],
      method: "WatchMovements",
      request: { from: { case: "beginning", value: true } },
      random: Math.random,
    }).start();
    await Promise.all(watchers.map((watcher) => watcher.until(({ counts }) => counts.heartbeats! > 1)));
    let sold = 0;
    while (
      [...watchers, ledger].some(({ counts }) => !(counts.WATCH_END_AGE! >= 1 && counts.WATCH_START_RESUMED! >= 1))
    ) {
      await sell(app, `order-${sold++}`);
    }
    await Promise.all(
      [...watchers, ledger].map((it) => it.until(({ levels }) => levels.get("1@0")?.version === sold + 1)),
    );
    assertEquals([...watchers, ledger].flatMap(({ faults }) => faults), []);
    await Promise.all([...watchers, ledger].map((watcher) => watcher.stop()));
    for (const [, source] of all) source.close();
  });
});

Deno.test("a proxy that cuts what is silent does not cut a stream, but one whose heartbeats come too late", async () => {
  for (const [heartbeatMs, isCut] of [[HEARTBEAT_MS, false], [60_000, true]] as const) {
    await withApp({}, async (app) => {
      await using proxy = startProxy(Number(new URL(app.url).port));
      const watcher = new Watcher({
        name: "behind the proxy",
        dial: () => connectSource(`http://127.0.0.1:${proxy.port}`, "gRPC-web", "1.1"),
        request: { goodsIds: [1] },
        random: Math.random,
      }).start();
      await watcher.until(({ levels }) => levels.has("1@0"));
      let looks = 0;
      let cuts = 0;
      proxy.behaviour.beforeAnswer = () => void (looks = 0);
      // Counted in looks, not by a clock: a machine that stands still is no silence.
      const look = setInterval(() => {
        if (++looks < IDLE_LOOKS) return;
        looks = 0;
        cuts++;
        proxy.cut();
      }, LOOK_MS);
      const enough = 3 * IDLE_LOOKS * LOOK_MS / HEARTBEAT_MS;
      await eventually(
        () => cuts > 0 || watcher.counts.heartbeats! >= enough,
        "it is cut, or lasts for three times as long",
      );
      clearInterval(look);
      assertEquals(cuts > 0, isCut, JSON.stringify(watcher.counts));
      await watcher.stop();
    }, heartbeatMs);
  }
});

Deno.test("a client that stops reading has its changes folded, and reads on to the latest; others are not disturbed", async () => {
  await withApp({}, async (app) => {
    const source = grpcJsSource(app.url);
    const other = new Watcher({ name: "other", dial: () => source, random: Math.random }).start();
    const slow = await RawPeer.http2(Number(new URL(app.url).port));
    const request = toBinary(WatchInvRequestSchema, create(WatchInvRequestSchema, { goodsIds: [1] }));
    slow.send(
      Buffer.concat([openCall(PATH, 1), frame(FRAME.data, FLAG.endStream, 1, grpcMessage(Buffer.from(request)))]),
    );
    const events = () => messagesOf(slow).map(({ event }) => event);
    await slow.until(() => events().some((event) => event.case === "snapshot"), "its snapshot");
    const sold = Array.from({ length: BATCHES * 500 }, (_, i) => ({
      orderId: `slow-${i}`,
      goodsInfo: [{ goodsId: 1, num: 1 }],
    }));
    assertEquals((await call(app.url, "SetInv", { goodsId: 1, num: 100_000 })).code, "ok");
    for (let from = 0; from < sold.length; from += 500) {
      assertEquals((await call(app.url, "SellBatch", { orders: sold.slice(from, from + 500) })).code, "ok");
    }
    const last = 2 + sold.length;
    await other.until(({ levels }) => levels.get("1@0")?.version === last);
    const changes = () => events().flatMap((event) => event.case === "changes" ? event.value.changes : []);
    const latest = () => Number(changes().at(-1)?.level?.version ?? 0);
    assert(latest() < last, "it has read all, though its windows are shut");
    for (const stream of [0, 1]) slow.send(frame(FRAME.windowUpdate, 0, stream, uint32(10_000_000)));
    await slow.until(() => latest() === last, "the latest");
    let version = 1;
    for (const change of changes()) {
      assertEquals(Number(change.level!.version), version + 1 + change.folded);
      version += 1 + change.folded;
    }
    assert(changes().some(({ folded }) => folded > 0), "nothing was folded");
    assertEquals([other.faults, other.counts.WATCH_START_SNAPSHOT], [[], 1]);
    await slow.leave();
    await other.stop();
    source.close();
  });
});

/** The messages of a raw peer's first stream that have come whole. */
function messagesOf({ frames }: RawPeer): WatchInvResponse[] {
  const bytes = Buffer.concat(frames.filter(({ type }) => type === FRAME.data).map(({ payload }) => payload));
  const messages: WatchInvResponse[] = [];
  for (let at = 0; at + 5 <= bytes.length;) {
    const end = at + 5 + bytes.readUInt32BE(at + 1);
    if (end > bytes.length) break;
    messages.push(fromBinary(WatchInvResponseSchema, bytes.subarray(at + 5, end)));
    at = end;
  }
  return messages;
}

Deno.test("streams are so many in all, take no place among calls, and are refused with when to come again", async () => {
  await withApp({ WATCHERS_MAX: "3" }, async (app) => {
    const [, source] = sourcesOf(app.url)[2]!;
    const open = async () => {
      const over = new AbortController();
      const stream = source.open("WatchInv", {}, over.signal)[Symbol.asyncIterator]();
      const first = await stream.next().then(({ value }) => value.event.case, (error) => error.code);
      return { first, over, stream };
    };
    const opened = [await open(), await open(), await open(), await open()];
    assertEquals(opened.map(({ first }) => first), ["started", "started", "started", "RESOURCE_EXHAUSTED"]);
    assertEquals([app.served.limits().streams, app.served.limits().refused.streams], [3, 1]);
    await sell(app, "beside-them");
    opened[0]!.over.abort();
    await eventually(() => app.served.limits().streams === 2, "its place is free");
    assertEquals((await open()).first, "started");
    source.close();
    await eventually(() => app.served.limits().streams === 0, "all places are free, as their connection is gone");
  });
});

Deno.test("a deadline ends a stream with its error, one beyond REQUEST_TIMEOUT_MS_MAX too; a drain ends it with a token", async () => {
  await withApp({ REQUEST_TIMEOUT_MS_MAX: "100" }, async (app) => {
    const client = createClient(WatchService, createGrpcTransport({ baseUrl: app.url }));
    const messages: string[] = [];
    const began = performance.now();
    let ended: unknown;
    try {
      for await (const { event } of client.watchInv({}, { timeoutMs: 2000 })) messages.push(event.case!);
    } catch (error) {
      ended = error;
    }
    assert(ended instanceof ConnectError && ended.code === Code.DeadlineExceeded, `${ended}`);
    assert(
      performance.now() - began >= 1999 && messages.filter((name) => name === "heartbeat").length > 2,
      `${messages}`,
    );

    const all = sourcesOf(app.url);
    const watchers = all.map(([name, source]) =>
      new Watcher({ name, dial: () => source, random: Math.random }).start()
    );
    await Promise.all(watchers.map((watcher) => watcher.until(({ token, levels }) => token !== "" && levels.size > 0)));
    const stopping = app.close();
    await Promise.all(watchers.map((watcher) => watcher.until(({ counts }) => counts.WATCH_END_DRAINING === 1)));
    await Promise.all(watchers.map((watcher) => watcher.stop()));
    for (const [, source] of all) source.close();
    await stopping;
  });
});
