/**
 * What is answered in front of every handler, over both versions of HTTP: a call for a path that is not served, and a
 * page of another origin, each in the words of its own protocol.
 */
import { assert, assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import { ERROR, FLAG, FRAME, frame } from "../support/http2_frames.ts";
import { call, many, openCall } from "../support/http2_calls.ts";
import { type Connection, eachVersion } from "../support/http_versions.ts";
import { CHECK, WATCH, withListener } from "../support/listening.ts";
import { RawPeer } from "../support/raw_peer.ts";

const STEAL = "/grpc.health.v1.Health/Steal";
const EVIL = "https://evil.example";
const REFUSED =
  `pages of ${EVIL} may not call: CORS_ORIGINS does not name them, and CORS=proxy does not leave it to a proxy`;
const UNKNOWN = "method Steal of grpc.health.v1.Health is not served here";

/** What an answer says: its HTTP status, its code where it has one, and its text. */
type Said = readonly [status: number, code: string | undefined, text: string];

/** How each kind of request learns of an error of this code. */
const KINDS: readonly [contentType: string | undefined, said: (code: number, text: string, status: number) => Said][] =
  [
    ["application/grpc", grpc],
    ["application/grpc+proto", grpc],
    ["Application/GRPC+json", grpc],
    ["application/grpc; charset=utf-8", grpc],
    ["application/grpc-web", grpc],
    ["application/grpc-web+proto", grpc],
    ["application/grpc-web-text", grpc],
    ["application/grpc-web-text+proto", grpc],
    ["application/connect+json", (code, text) => [200, nameOf(code), text]],
    ["application/json", (code, text, status) => [status, nameOf(code), text]],
    ["application/json; charset=utf-8", (code, text, status) => [status, nameOf(code), text]],
    ["application/proto", (code, text, status) => [status, nameOf(code), text]],
    ["text/plain", (_, text, status) => [status, undefined, `${text}\n`]],
    [undefined, (_, text, status) => [status, undefined, `${text}\n`]],
  ];

Deno.test("a path that is not served, and a page that may not call, in the words of each protocol", async (t) => {
  await withListener({}, async ({ listener, handled, logged }) => {
    await eachVersion(listener.url, async (version, connection) => {
      for (const [type, said] of KINDS) {
        await t.step(`${version}, ${type}`, async () => {
          const headers: Record<string, string> = type === undefined ? {} : { "content-type": type };
          assertEquals(await ask(connection, STEAL, headers), said(12, UNKNOWN, 404));
          const before = handled();
          assertEquals(await ask(connection, CHECK, { ...headers, origin: EVIL }), said(7, REFUSED, 403));
          assertEquals(handled(), before);
        });
      }
    });
    // A flood of them is one line.
    const lines = logged.filter(({ message }) => message === "pages of other origins were refused");
    assertEquals(lines.map(({ count, reason }) => [count, reason]), [[1, REFUSED]]);
  });
});

Deno.test("however many calls of a connection are refused before their messages come, it goes on", async () => {
  await withListener({}, async ({ listener }) => {
    const peer = await RawPeer.http2(listener.port);
    let stream = -1;
    // More messages for streams that are closed than nghttp2 takes.
    for (let round = 0; round < 12; round++) {
      const streams = many(100, () => stream += 2);
      peer.send(Buffer.concat(streams.map((each) => openCall(STEAL, each))));
      await peer.until(() => answeredBy(peer).length === (stream + 1) / 2, "answers to all");
      peer.send(Buffer.concat(streams.map((each) => frame(FRAME.data, FLAG.endStream, each, Buffer.alloc(5)))));
    }
    peer.send(call(CHECK, stream += 2));
    await peer.until(() => answeredBy(peer).includes(stream), "an answer behind them");
    assertEquals(peer.errorCodes(FRAME.goAway), []);
    await peer.leave();
  });
});

Deno.test("of a large message that is not wanted little is read", async () => {
  await withListener({}, async ({ listener }) => {
    const peer = await RawPeer.http2(listener.port);
    const part = frame(FRAME.data, FLAG.none, 1, Buffer.alloc(16_000));
    peer.send(Buffer.concat([openCall(STEAL, 1), ...many(4, () => part)]));
    await peer.until(() => peer.got(FRAME.reset, 0, 1), "the end of the stream");
    assertEquals(peer.errorCodes(FRAME.reset), [ERROR.none]);
    await peer.leave();
  });
});

/** Streams whose answer has ended. */
function answeredBy({ frames }: RawPeer): number[] {
  return frames.filter(({ type, flags }) => (type === FRAME.headers || type === FRAME.data) && flags & FLAG.endStream)
    .map(({ stream }) => stream);
}

Deno.test("what of a path is not served is named, and never at length", async () => {
  await withListener({}, async ({ listener }) => {
    const long = "a".repeat(5_000);
    const paths: [path: string, text: string][] = [
      ["/AWS.ALB/healthcheck", "service AWS.ALB is not served here"],
      ["/inventory.v1.NoService/Sell?a=b", "service inventory.v1.NoService is not served here"],
      [`${STEAL}?a=b`, UNKNOWN],
      ["/", "this path is not served here"],
      ["/a/b/c", "this path is not served here"],
      [`/${long}/${long}`, `service ${long.slice(0, 100)}… is not served here`],
      [`/grpc.health.v1.Health/${long}`, `method ${long.slice(0, 100)}… of grpc.health.v1.Health is not served here`],
    ];
    await eachVersion(listener.url, async (version, connection) => {
      for (const [path, text] of paths) {
        for (const type of ["application/grpc", "application/grpc-web-text"]) {
          const answer = await ask(connection, path, { "content-type": type });
          assertEquals(answer, grpc(12, text), `${version} ${path}`);
        }
      }
    });
  });
});

Deno.test("what is no POST is no call: 404 in plain text, and none for HEAD", async () => {
  await withListener({}, async ({ listener }) => {
    await eachVersion(listener.url, async (_version, connection) => {
      const grpcType = { "content-type": "application/grpc" };
      for (const method of ["GET", "PUT", "OPTIONS"]) {
        assertEquals(await ask(connection, STEAL, grpcType, method), [404, undefined, `${UNKNOWN}\n`]);
      }
      assertEquals(await ask(connection, STEAL, {}, "HEAD"), [404, undefined, ""]);
    });
  });
});

Deno.test("a bare status of a handler has a reason: content types, methods, and versions that it does not take", async () => {
  await withListener({}, async ({ listener }) => {
    const types = "expected content-type application/json or application/proto (Connect), application/grpc (HTTP/2), " +
      "application/grpc-web or application/grpc-web-text, got";
    await eachVersion(listener.url, async (version, { request }) => {
      const said = async (method: string, path: string, headers: Record<string, string>) => {
        const { status, headers: answered, body } = await request(method, path, headers);
        return [status, answered["content-type"], answered.allow, body.toString()];
      };
      const plain = "text/plain; charset=utf-8";
      const form = "application/x-www-form-urlencoded";
      assertEquals(
        await said("POST", CHECK, { "content-type": form }),
        [415, plain, undefined, `${types} ${form}\n`],
        version,
      );
      const ofStreams = types.replace(
        "/json or application/proto (Connect)",
        "/connect+json or application/connect+proto (Connect streams)",
      );
      assertEquals(
        await said("POST", WATCH, { "content-type": "application/json" }),
        [415, plain, undefined, `${ofStreams} application/json\n`],
        version,
      );
      assertEquals(await said("POST", CHECK, {}), [415, plain, undefined, `${types} none\n`], version);
      const long = await said("POST", CHECK, { "content-type": "a".repeat(5_000) });
      assertEquals(long, [415, plain, undefined, `${types} ${"a".repeat(100)}\n`], version);
      assertEquals(await said("PUT", CHECK, {}), [405, plain, "POST", "expected POST, got PUT\n"], version);
      assertEquals((await said("HEAD", CHECK, {})).at(-1), "", version);
    });
  });
});

function grpc(code: number, text: string): Said {
  return [200, String(code), text];
}

function nameOf(code: number): string {
  return code === 12 ? "unimplemented" : "permission_denied";
}

async function ask(
  { request }: Connection,
  path: string,
  headers: Record<string, string>,
  method = "POST",
): Promise<Said> {
  const answer = await request(method, path, headers);
  const type = String(answer.headers["content-type"]);
  if (method === "HEAD") return [answer.status, undefined, answer.body.toString()];
  assert(!type.startsWith("application/grpc-web") || type.includes("-text") === isText(headers), type);
  if (type.startsWith("application/grpc-web")) {
    const body = isText(headers) ? Buffer.from(answer.body.toString(), "base64") : answer.body;
    assertEquals([body[0], body.readUInt32BE(1)], [0x80, body.length - 5]);
    const [, code, text = ""] = /grpc-status: (\d+)\r\ngrpc-message: (.*)\r\n|$/s.exec(reordered(body)) ?? [];
    return [answer.status, code, decodeURIComponent(text)];
  }
  if (type.startsWith("application/grpc")) {
    assertEquals(answer.body.length, 0);
    return [
      answer.status,
      String(answer.headers["grpc-status"]),
      decodeURIComponent(String(answer.headers["grpc-message"])),
    ];
  }
  if (type.startsWith("application/connect+")) {
    assertEquals([answer.body[0], answer.body.readUInt32BE(1)], [0b10, answer.body.length - 5]);
    const { error } = JSON.parse(answer.body.subarray(5).toString());
    return [answer.status, error.code, error.message];
  }
  if (type === "application/json") {
    const { code, message } = JSON.parse(answer.body.toString());
    return [answer.status, code, message];
  }
  assertEquals(type, "text/plain; charset=utf-8");
  return [answer.status, undefined, answer.body.toString()];
}

function isText(headers: Record<string, string>): boolean {
  return headers["content-type"]?.includes("-text") === true;
}

/** The fields of trailers with the status first. */
function reordered(trailers: Buffer): string {
  return trailers.subarray(5).toString().split("\r\n").filter((line) => line !== "").sort().reverse()
    .map((line) => `${line}\r\n`).join("");
}
