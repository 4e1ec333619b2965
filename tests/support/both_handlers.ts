/**
 * One router served twice: through connect-node's own adapter on a plain server, and through the listener. Its service
 * is grpc.health.v1.Health, whose methods do what the name in the request says.
 */
import { Buffer } from "node:buffer";
import http2 from "node:http2";
import type { AddressInfo } from "node:net";
import { Code, ConnectError, type ConnectRouter, type HandlerContext, type Interceptor } from "@connectrpc/connect";
import { compressionGzip, connectNodeAdapter } from "@connectrpc/connect-node";
import { Health, type HealthCheckRequest } from "../../src/gen/health/v1/health_pb.ts";
import { ErrorInfoSchema } from "../../src/gen/google/rpc/error_details_pb.ts";
import { listen } from "../../src/transport/listener.ts";
import { reflectionModules } from "../../src/services/reflection/service.ts";
import { addServices } from "../../src/services/service_module.ts";
import { createRpcHandler } from "../../src/rpc/router.ts";
import { bytesField, grpcMessage } from "./raw_call.ts";
import { SILENT } from "./silent_log.ts";

/** Largest request and answer of both. */
export const READ_BYTES_MAX = 2_000;
/** See {@link READ_BYTES_MAX}. */
export const WRITE_BYTES_MAX = 100_000;
/** Largest deadline of both. */
export const TIMEOUT_MS_MAX = 60_000;

/** One of both, and what its handlers have noted. */
export interface Handler {
  readonly url: string;
  /** What handlers noted, in order. */
  readonly notes: string[];
  /** Resolves when a handler has come to wait for its signal. */
  waiting: Promise<void>;
  /** Resolves when a handler that waited has gone on after its signal. */
  left: Promise<void>;
}

/** Both handlers. */
export interface BothHandlers {
  readonly stock: Handler;
  readonly ours: Handler;
}

/** What of both is not as in the app. */
export interface BothHandlersOptions {
  readonly interceptors?: Interceptor[];
  readonly unaryMsMax?: number;
}

/** Runs with both, and stops them in the end. */
export async function withBothHandlers(
  options: BothHandlersOptions,
  run: (both: BothHandlers) => Promise<void>,
): Promise<void> {
  const { interceptors = [], unaryMsMax } = options;
  const common = {
    readMaxBytes: READ_BYTES_MAX,
    writeMaxBytes: WRITE_BYTES_MAX,
    maxTimeoutMs: TIMEOUT_MS_MAX,
    interceptors,
  };
  const stock = handlers();
  const server = http2.createServer(
    connectNodeAdapter({ ...common, acceptCompression: [compressionGzip], routes: stock.routes }),
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const sessions = new Set<http2.ServerHttp2Session>();
  server.on("session", (session) => sessions.add(session));
  const ours = handlers();
  const limit = unaryMsMax === undefined ? {} : { unaryMsMax };
  const handler = createRpcHandler({ ...common, ...limit, routes: ours.routes, log: SILENT });
  const listener = await listen({ host: "127.0.0.1", port: 0, cors: { origins: [], hosts: [] }, handler, log: SILENT });
  try {
    await run({
      stock: Object.assign(stock.handler, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }),
      ours: Object.assign(ours.handler, { url: listener.url }),
    });
  } finally {
    await listener.drain(0);
    for (const session of sessions) session.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
}

/** A gRPC message that asks Health to do this. */
export function asking(what: string): Buffer {
  return grpcMessage(bytesField(1, Buffer.from(what)));
}

function handlers(): { handler: Handler; routes: (router: ConnectRouter) => void } {
  const handler: Handler = { url: "", notes: [], waiting: Promise.resolve(), left: Promise.resolve() };
  let waits = Promise.withResolvers<void>();
  let leaves = Promise.withResolvers<void>();
  handler.waiting = waits.promise;
  handler.left = leaves.promise;

  async function untilSignal({ signal }: HandlerContext): Promise<void> {
    waits.resolve();
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener("abort", () => resolve(), { once: true });
    });
    const { name, code, message } = signal.reason;
    handler.notes.push(`aborted: ${name} ${code} ${message}`);
    leaves.resolve();
    waits = Promise.withResolvers();
    leaves = Promise.withResolvers();
    handler.waiting = waits.promise;
    handler.left = leaves.promise;
  }

  async function act({ service }: HealthCheckRequest, context: HandlerContext): Promise<void> {
    const [verb, ...rest] = service.split(" ");
    context.responseHeader.set("x-early", "1");
    if (verb === "throw") throw failure(Number(rest[0]), rest.slice(1).join(" "));
    if (verb === "throw-error") throw new TypeError("password=hunter2");
    if (verb === "throw-nothing") throw undefined;
    if (verb === "headers") setHeaders(context);
    if (verb === "report") context.responseHeader.set("x-report", report(context));
    if (verb === "note-end") context.signal.addEventListener("abort", () => note(context.signal.reason));
    if (verb === "wait") await untilSignal(context);
    if (verb === "hang") await new Promise(() => {});
  }

  function note({ name, code, message }: ConnectError): void {
    handler.notes.push(`ended: ${name} ${code} ${message}`);
  }

  return {
    handler,
    routes(router) {
      router.service(Health, {
        async check(request, context) {
          await act(request, context);
          return request.service === "zero" ? {} : { status: 1 };
        },
        list(_request, context) {
          const size = Number(context.requestHeader.get("x-size") ?? 0);
          return { statuses: { ["a".repeat(size)]: { status: 1 } } };
        },
        async *watch(request, context) {
          yield { status: 1 };
          await act(request, context);
          yield { status: 2 };
        },
      });
      addServices(router, reflectionModules({ listed: [Health] }));
    },
  };
}

/** An error with all that an error can have. */
function failure(code: number, message: string): ConnectError {
  const metadata = new Headers({ "x-plain": "a, b", "x-data-bin": "AAEC", "grpc-status": "0", "content-type": "x/y" });
  metadata.append("x-plain", "c");
  const value = { reason: "WHY", domain: "d", metadata: { k: "v" } };
  return new ConnectError(message, code as Code, metadata, code % 2 === 0 ? [] : [{ desc: ErrorInfoSchema, value }]);
}

function setHeaders({ responseHeader, responseTrailer }: HandlerContext): void {
  responseHeader.set("x-single", "1");
  responseHeader.append("x-twice", "1");
  responseHeader.append("x-twice", "2");
  responseHeader.append("set-cookie", "a=1, 2");
  responseHeader.append("set-cookie", "b=2");
  responseHeader.set("connection", "close");
  responseHeader.set("x-data-bin", "AAEC");
  responseTrailer.set("x-trailer", "3");
  responseTrailer.append("x-trailer", "4");
  responseTrailer.set("x-trailer-bin", "AAEC");
}

/** All that a handler learns of its call. */
function report(context: HandlerContext): string {
  const { method, service, protocolName, requestMethod, url, requestHeader, signal, timeoutMs } = context;
  const left = timeoutMs();
  return JSON.stringify({
    method: method.name,
    service: service.typeName,
    protocolName,
    requestMethod,
    host: new URL(url).hostname,
    path: new URL(url).pathname + new URL(url).search,
    header: [...requestHeader],
    isAborted: signal.aborted,
    hasTime: left === undefined ? "no end" : left > 0,
  });
}
