/**
 * The good caller's own thread: what an attacker costs the thread that plays it must not count as the server's time.
 * Given a URL and what its calls bring it calls until it is sent anything else, then posts what came of it.
 */
/// <reference lib="webworker" />
import { Buffer } from "node:buffer";
import http from "node:http";
import http2 from "node:http2";
import https from "node:https";
import { setTimeout as delay } from "node:timers/promises";
import type { GoodCalls } from "./good_caller.ts";
import { grpcMessage, varintField } from "./raw_call.ts";

/** An InvDetail so often, all on one HTTP/2 connection. */
const DETAIL_EVERY_MS = 20;
/** A Health.Check so often, each on a connection of its own over HTTP/1.1, as a probe does. */
const HEALTH_EVERY_MS = 250;
/** A call without an answer by then has failed. */
const ANSWER_MS_MAX = 10_000;

const DETAIL = "/inventory.v1.InventoryService/InvDetail";
const CHECK = "/grpc.health.v1.Health/Check";

/** Where to call, with what, and whom to trust where that is over TLS. */
interface Calling {
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly ca: string | undefined;
}

self.onmessage = ({ data: { url, headers, ca } }: MessageEvent<Calling>) => {
  const detail = calls();
  const health = calls();
  const session = connect(url, ca);
  const timers = [
    setInterval(() => detail.note(() => invDetail(session(), headers)), DETAIL_EVERY_MS),
    setInterval(() => health.note(() => check(url, ca)), HEALTH_EVERY_MS),
  ];
  self.onmessage = async () => {
    timers.forEach(clearInterval);
    const report: GoodCalls = { detail: await detail.all(), health: await health.all() };
    session().destroy();
    self.postMessage(report);
  };
  // Ready: the first answers are there, so that no attack begins before its good caller.
  Promise.all([detail.note(() => invDetail(session(), headers)), health.note(() => check(url, ca))]).then(() => {
    self.postMessage("ready");
  });
};

/** Times of calls, and what went wrong with those that failed. */
function calls() {
  const ms: number[] = [];
  const failures: string[] = [];
  const pending = new Set<Promise<void>>();
  return {
    note(call: () => Promise<string>): Promise<void> {
      const since = performance.now();
      const ended = Promise.race([call(), timeout()]).catch((error: Error) => error.message).then((answer) => {
        ms.push(performance.now() - since);
        if (answer !== "OK") failures.push(answer);
        pending.delete(ended);
      });
      pending.add(ended);
      return ended;
    },
    async all() {
      await Promise.all(pending);
      return { ms: ms.sort((a, b) => a - b), failures };
    },
  };
}

async function timeout(): Promise<string> {
  await delay(ANSWER_MS_MAX);
  return `no answer in ${ANSWER_MS_MAX} ms`;
}

/** One connection for all calls, made again where it has ended, as client libraries do. */
function connect(url: string, ca: string | undefined): () => http2.ClientHttp2Session {
  let session: http2.ClientHttp2Session | undefined;
  return () => {
    if (session === undefined || session.closed || session.destroyed) {
      session = http2.connect(url, ca === undefined ? {} : { ca });
      session.on("error", () => {});
    }
    return session;
  };
}

function invDetail(session: http2.ClientHttp2Session, headers: Record<string, string>): Promise<string> {
  return new Promise((resolve) => {
    const stream = session.request({
      ":method": "POST",
      ":path": DETAIL,
      "content-type": "application/grpc+proto",
      te: "trailers",
      ...headers,
    });
    let status = "cut";
    const read = (fields: http2.IncomingHttpHeaders) => status = String(fields["grpc-status"] ?? status);
    stream.on("response", read);
    stream.on("trailers", read);
    stream.on("error", (error: Error) => resolve(error.message));
    stream.on("close", () => resolve(status === "0" ? "OK" : `grpc-status ${status}`));
    stream.resume();
    stream.end(grpcMessage(varintField(1, 1n)));
  });
}

function check(url: string, ca: string | undefined): Promise<string> {
  return new Promise((resolve) => {
    const headers = { "content-type": "application/json", connection: "close" };
    const { request: begin } = ca === undefined ? http : https;
    const options = { method: "POST", headers, agent: false, ...(ca === undefined ? {} : { ca }) };
    const request = begin(url + CHECK, options, (response: http.IncomingMessage) => {
      let text = "";
      response.on("data", (part: Buffer) => text += part);
      response.on("end", () => resolve(text.includes(`"SERVING"`) ? "OK" : `${response.statusCode} ${text}`));
    });
    request.on("error", (error: Error) => resolve(error.message));
    request.end(JSON.stringify({ service: "" }));
  });
}
