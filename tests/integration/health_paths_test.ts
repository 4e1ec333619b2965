/**
 * Health as plain HTTP, asked as load balancers ask: by any version, any host or none, and while the server is full.
 */
import { assertEquals, assertMatch } from "@std/assert";
import { Buffer } from "node:buffer";
import { HealthBoard } from "../../src/health/board.ts";
import { withHealthPaths } from "../../src/services/health/paths.ts";
import { listen } from "../../src/transport/listener.ts";
import { createRpcHandler } from "../../src/rpc/router.ts";
import { Health } from "../../src/gen/health/v1/health_pb.ts";
import { eachVersion } from "../support/http_versions.ts";
import { CHECK, countStatus, jsonCall } from "../support/listening.ts";
import { ERROR, FLAG, FRAME, frame, headerBlock, PREFACE } from "../support/http2_frames.ts";
import { RawPeer } from "../support/raw_peer.ts";
import { SILENT } from "../support/silent_log.ts";

const nothing = () => {};

/** Runs with a board behind a port that takes two requests at a time; one for the service `latch` waits for `open`. */
async function withBoard(
  run: (parts: { board: HealthBoard; url: string; port: number; open: () => void }) => Promise<void>,
): Promise<void> {
  const board = new HealthBoard([]);
  const latch = Promise.withResolvers<void>();
  const handler = createRpcHandler({
    log: SILENT,
    routes: (router) =>
      router.service(Health, {
        async check({ service }) {
          if (service === "latch") await latch.promise;
          return {};
        },
      }),
  });
  const listener = await listen({
    host: "127.0.0.1",
    port: 0,
    cors: { origins: [], hosts: [] },
    handler: withHealthPaths(handler, board),
    limits: { requestsPerAddressMax: 2, probesMax: 1 },
    log: SILENT,
  });
  try {
    await run({ board, url: listener.url, port: listener.port, open: latch.resolve });
  } finally {
    latch.resolve();
    await listener.drain(0);
  }
}

Deno.test("/healthz and /readyz say what the board says, /livez that the process answers; nothing keeps it", async () => {
  await withBoard(async ({ board, url }) => {
    const states: [change: () => void, word: string, status: number][] = [
      [nothing, "NOT_SERVING", 503],
      [() => board.set("SERVING"), "SERVING", 200],
      [() => board.set("NOT_SERVING"), "NOT_SERVING", 503],
      [() => board.set("SERVING"), "SERVING", 200],
      [() => board.close(), "NOT_SERVING", 503],
    ];
    for (const [change, word, status] of states) {
      change();
      await eachVersion(url, async (version, { request }) => {
        for (const method of ["GET", "HEAD", "OPTIONS"]) {
          const asked: [path: string, status: number, word: string][] = [
            ["/healthz", status, word],
            ["/readyz?verbose", status, word],
            ["/livez", 200, "ALIVE"],
          ];
          for (const [path, expected, text] of asked) {
            const { status: answered, headers, body } = await request(method, path, {
              "user-agent": "ELB-HealthChecker/2.0",
            });
            const what = `${version} ${method} ${path}`;
            assertEquals([answered, body.toString()], [expected, method === "HEAD" ? "" : `${text}\n`], what);
            assertEquals(headers["cache-control"], "no-store");
            assertEquals(headers["content-type"], "text/plain; charset=utf-8");
          }
        }
        const grpc = await request("POST", "/healthz", { "content-type": "application/grpc", te: "trailers" });
        assertEquals([grpc.status, grpc.headers["grpc-status"]], [200, status === 200 ? "0" : "14"], version);
        const post = await request("POST", "/healthz");
        assertEquals([post.status, post.headers.allow], [405, "GET, HEAD, OPTIONS"]);
        assertEquals((await request("GET", "/healthz/x")).status, 404);
      });
    }
  });
});

Deno.test("by HTTP/1.0 without a host, as HAProxy, and by whatever host", async () => {
  await withBoard(async ({ board, port }) => {
    board.set("SERVING");
    const asked = [
      "OPTIONS /healthz HTTP/1.0\r\n\r\n",
      "GET /healthz HTTP/1.0\r\n\r\n",
      "GET /healthz HTTP/1.0\r\nhost: backend\r\nconnection: close\r\n\r\n",
      "GET /healthz HTTP/1.1\r\nhost: 10.0.0.7:8080\r\n\r\n",
      "GET /healthz HTTP/1.1\r\nhost: stock.example\r\n\r\n",
    ];
    for (const request of asked) {
      const peer = await RawPeer.http1(port);
      peer.send(request);
      await peer.until(() => peer.text.endsWith("SERVING\n"), "the word");
      assertMatch(peer.text, /^HTTP\/1\.[01] 200 OK\r\n/);
      assertMatch(peer.text, /^content-length: 8\r$/mi);
      if (request.includes("HTTP/1.0")) await peer.untilClosed("one request a connection");
      await peer.leave();
    }
  });
});

Deno.test("a call by HTTP/1.0 is answered, without a host too, in no chunks", async () => {
  await withBoard(async ({ port }) => {
    for (const host of ["", "host: backend\r\n"]) {
      const peer = await RawPeer.http1(port);
      peer.send(jsonCall("").replace("HTTP/1.1", "HTTP/1.0").replace("host: 127.0.0.1\r\n", host));
      await peer.untilClosed("answered");
      assertMatch(peer.text, /^HTTP\/1\.[01] 200 OK\r\n/);
      assertEquals([/transfer-encoding/i.test(peer.text), peer.text.endsWith("\r\n\r\n{}")], [false, true], peer.text);
      await peer.leave();
    }
  });
});

Deno.test("a server that is full is no sick one: health is answered when no other request is taken", async () => {
  await withBoard(async ({ board, port, url, open }) => {
    board.set("SERVING");
    const full = [await RawPeer.http1(port), await RawPeer.http1(port)];
    for (const peer of full) peer.send(jsonCall("latch"));
    const other = await RawPeer.http1(port);
    // The two have come before this one is seen to be refused.
    while (countStatus(other, 503) === 0) {
      const refused = countStatus(other, 200);
      other.send(jsonCall(""));
      await other.until(() => countStatus(other, 503) === 1 || countStatus(other, 200) > refused, "an answer");
    }
    await other.leave();
    await eachVersion(url, async (version, { request }) => {
      assertEquals((await request("GET", "/healthz")).status, 200, version);
      if (version === "HTTP/1.1") {
        const call = await request("POST", CHECK, { "content-type": "application/json" }, [
          new TextEncoder().encode("{}"),
        ]);
        assertEquals(call.status, 503);
      }
    });
    // One at a time, where its peer leaves no window for the answer.
    const noWindow = Buffer.concat([PREFACE, frame(FRAME.settings, FLAG.none, 0, Buffer.from("000400000000", "hex"))]);
    const greedy = await RawPeer.http2(port, { start: noWindow });
    const probe = headerBlock([[":method", "GET"], [":scheme", "http"], [":path", "/healthz"], [":authority", "a"]]);
    for (const stream of [1, 3]) greedy.send(frame(FRAME.headers, FLAG.endHeaders | FLAG.endStream, stream, probe));
    await greedy.until(() => greedy.got(FRAME.reset, 0, 3) && greedy.got(FRAME.headers, 0, 1), "both");
    assertEquals(greedy.errorCodes(FRAME.reset), [ERROR.refusedStream]);
    await greedy.leave();
    open();
    for (const peer of full) {
      await peer.until(() => countStatus(peer, 200) === 1, "the answer of a call that was taken");
      await peer.leave();
    }
  });
});
