/** Several HTTP/1.1 requests on one connection: each is answered, in their sequence, whatever came before or behind. */
import { assert, assertEquals } from "@std/assert";
import type { ListenerOptions } from "../../src/transport/listener.ts";
import { CHECK, countStatus, JSON_CALL, jsonCall, WATCH, withListener } from "../support/listening.ts";
import { RawPeer } from "../support/raw_peer.ts";
import { eventually } from "../support/eventually.ts";

Deno.test("a body that was refused is read off, and the next request on its connection answered", async () => {
  const refused: readonly (readonly [path: string, header: string])[] = [
    ["/nowhere", ""],
    [CHECK, "content-type: text/plain"],
    [CHECK, "content-type: application/json"],
    [CHECK, "content-type: application/json\r\norigin: http://evil.example"],
    // The first of its bytes say that it is too large.
    [CHECK, "content-type: application/grpc-web"],
    [CHECK, "content-type: application/grpc-web+json"],
    [WATCH, "content-type: application/connect+json"],
    [CHECK, "content-type: application/json\r\nconnect-timeout-ms: 1"],
  ];
  const body = "x".repeat(200_000);
  await withListener({}, async ({ listener }) => {
    for (const [path, header] of refused) {
      const peer = await RawPeer.http1(listener.port);
      const fields = `host: 127.0.0.1\r\n${header === "" ? "" : `${header}\r\n`}content-length: ${body.length}`;
      peer.send(`POST ${path} HTTP/1.1\r\n${fields}\r\n\r\n${body.slice(0, 20_000)}`);
      await peer.until(() => /^HTTP\/1.1 \d+/.test(peer.text), "a refusal");
      peer.send(body.slice(20_000) + JSON_CALL);
      await peer.until(() => peer.text.includes("SERVING"), `the next request's answer, after ${path} ${header}`);
      await peer.leave();
    }
  });
});

Deno.test("what is malformed behind a request is never answered into that one's answer", async () => {
  await withListener({}, async ({ listener, open }) => {
    const body = "\0\0\0\0\x02{}";
    const stream = `POST ${WATCH} HTTP/1.1\r\nhost: a\r\ncontent-type: application/connect+json\r\n` +
      `content-length: ${body.length}\r\n\r\n${body}`;
    const begun = await RawPeer.http1(listener.port);
    begun.send(stream);
    await begun.until(() => begun.text.includes("SERVING"), "a message");
    begun.send("BAD\r\n\r\n");
    await begun.untilClosed("its end");
    assertEquals(begun.text.match(/HTTP\/1\.1 \d+/g), ["HTTP/1.1 200"]);

    // Nor as the answer to one that may yet be done.
    const waiting = await RawPeer.http1(listener.port);
    waiting.send(jsonCall("latch"));
    await eventually(() => listener.view.requests === 1, "it is under way");
    waiting.send("BAD\r\n\r\n");
    await waiting.untilClosed("its end");
    assertEquals(waiting.text, "");

    const alone = await RawPeer.http1(listener.port);
    alone.send(JSON_CALL.replace(/content-length: \d+/, "transfer-encoding: chunked").replace("{", "x\r\n{"));
    await alone.untilClosed("its end");
    assert(alone.text.startsWith("HTTP/1.1 400 "), alone.text);
    open();
  });
});

Deno.test("a hundred HTTP/1.1 requests go over one connection that is kept alive", async () => {
  await withListener({}, async ({ listener }) => {
    const peer = await RawPeer.http1(listener.port);
    for (let asked = 1; asked <= 100; asked++) {
      peer.send(JSON_CALL);
      await peer.until(() => countStatus(peer, 200) === asked, `answer ${asked}`);
    }
    await peer.leave();
  });
});

Deno.test("pipelined HTTP/1.1 requests are answered in order on one connection", async () => {
  await withListener({}, async ({ listener }) => {
    const peer = await RawPeer.http1(listener.port);
    peer.send(JSON_CALL.repeat(8));
    await peer.until(() => countStatus(peer, 200) === 8, "8 answers");
    await peer.leave();
  });
});

Deno.test("who pipelines is read on once its answers have gone, though no one of them filled the socket", async () => {
  const latch = Promise.withResolvers<void>();
  let asked = 0;
  const handler: ListenerOptions["handler"] = {
    http1(request, response) {
      asked++;
      const answer = () => void response.end("x".repeat(30_000));
      if (request.url === "/first") return latch.promise.then(answer);
      answer();
    },
    http2() {
      throw new Error("nobody speaks HTTP/2");
    },
  };
  const get = (path: string) => `GET ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n`;
  await withListener({ handler }, async ({ listener }) => {
    const peer = await RawPeer.http1(listener.port);
    peer.send(get("/first") + get("/next").repeat(3));
    await eventually(() => asked === 4, "three wait behind the first");
    peer.send(get("/next"));
    await eventually(() => asked === 5, "node:http is asked for one more, and pauses");
    latch.resolve();
    await peer.until(() => countStatus(peer, 200) === 5, "their answers");
    peer.send(get("/next"));
    await peer.until(() => countStatus(peer, 200) === 6, "the answer to what came later");
    await peer.leave();
  });
});
