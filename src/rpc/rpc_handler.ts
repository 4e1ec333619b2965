/**
 * One router for both protocols: HTTP/1.1 goes to its handlers as connect-node has it, HTTP/2 straight from the stream, and
 * plain unary gRPC calls the short way.
 */
import {
  Code,
  ConnectError,
  type ConnectRouter,
  type ConnectRouterOptions,
  createConnectRouter,
  createMethodImplSpec,
  createServiceImplSpec,
  type MethodImplSpec,
} from "@connectrpc/connect";
import { compressionBrotli, compressionGzip } from "@connectrpc/connect-node";
import {
  createMethodUrl,
  type UniversalHandlerFn,
  validateUniversalHandlerOptions,
} from "@connectrpc/connect/protocol";
import http2, { type IncomingHttpHeaders } from "node:http2";
import { errorFields, type Log } from "../telemetry/log.ts";
import { answerHttp1 } from "./http1_universal.ts";
import { createUnaryWay, type UnaryWay } from "./grpc_unary.ts";
import { toWebHeaders } from "./http2_headers.ts";
import { answerUniversally, type BodyStart, type PreparedRequest } from "./http2_universal.ts";
import type { Http2Call, WireHandler } from "./http_handler.ts";

/** How to serve: what Connect's routers take, and the rest. gzip and brotli are known where no others are named. */
export interface RpcHandlerOptions extends ConnectRouterOptions {
  /** Adds the services. Called once. */
  readonly routes: (router: ConnectRouter) => void;
  /**
   * A unary gRPC call over HTTP/2 without a deadline of its own has its signal aborted after this. Whoever answers for a
   * handler that does not heed its signal is an interceptor. Absent: there is no such limit.
   */
  readonly unaryMsMax?: number;
  readonly log: Log;
}

interface Route {
  readonly path: string;
  readonly handler: UniversalHandlerFn;
  readonly unary: UnaryWay | undefined;
  /** The origin of the latest call, and the URL made of it: most callers name the same one. */
  latest: { readonly origin: string; readonly url: string } | undefined;
}

/** Makes the handler. It throws where no URL can be made of a request's host and path, or no header of its fields. */
export function createRpcHandler({ routes, log, unaryMsMax, ...given }: RpcHandlerOptions): WireHandler {
  const options = { acceptCompression: [compressionGzip, compressionBrotli], ...given };
  const router = createConnectRouter(options);
  const unaryWays = new Map<string, UnaryWay | undefined>();
  const recording: ConnectRouter = {
    handlers: router.handlers,
    service(service, implementation, own) {
      router.service(service, implementation, own);
      Object.values(createServiceImplSpec(service, implementation).methods).forEach((spec) => addUnary(spec, own));
      return recording;
    },
    rpc(method, implementation, own) {
      router.rpc(method, implementation, own);
      addUnary(createMethodImplSpec(method, implementation), own);
      return recording;
    },
  };
  routes(recording);
  const byPath = new Map<string, Route>();
  for (const handler of router.handlers) {
    const path = handler.requestPath;
    byPath.set(path, { path, handler, unary: unaryWays.get(path), latest: undefined });
  }

  return {
    http1(request, response) {
      const route = routeOf(request.url ?? "");
      if (route === undefined) return void response.writeHead(404).end();
      answerHttp1(route.handler, request, response, (error) => {
        log.error({ path: route.path, error: errorFields(error) }, "answer not sent by a fault of the service");
      });
    },
    http2(call) {
      const route = routeOf(call.headers[":path"] ?? "");
      if (route === undefined) return notFound(call);
      const request: PreparedRequest = { url: urlOf(call, route), header: toWebHeaders(call.headers) };
      const other = (body?: BodyStart) => {
        answerUniversally(route.handler, call, request, body).catch((error) => notWritten(call, error));
      };
      if (route.unary === undefined) return other();
      route.unary(call, request, { other, failed: (error) => notWritten(call, error) });
    },
  };

  /** By path with or without a query. */
  function routeOf(path: string): Route | undefined {
    return byPath.get(path) ?? byPath.get(path.split("?", 1)[0]!);
  }

  function addUnary(spec: MethodImplSpec, own: ConnectRouterOptions | undefined): void {
    const all = { ...options, ...own };
    const served = spec.kind === "unary" && all.grpc !== false && !all.requestGate && !all.shutdownSignal;
    const way = served ? createUnaryWay(spec, validateUniversalHandlerOptions(all), unaryMsMax) : undefined;
    unaryWays.set(createMethodUrl("/", spec.method), way);
  }

  function notWritten({ stream, headers }: Http2Call, error: unknown): void {
    const isGone = stream.closed || stream.destroyed;
    const path = headers[":path"];
    if (isGone) return log.debug({ path, error }, "answer not sent, the stream is closed");
    log.error({ path, error: errorFields(error) }, "answer not sent by a fault of the service");
    stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR);
  }
}

function notFound({ stream, answerHeaders }: Http2Call): void {
  stream.respond({ ...answerHeaders, ":status": 404 });
  stream.end();
}

/** The URL of a call. Throws where host and path make none. */
function urlOf({ stream, headers }: Http2Call, route: Route): string {
  const origin = `${stream.session?.encrypted ? "https" : "http"}://${authorityOf(headers)}`;
  const path = headers[":path"] ?? "";
  if (path !== route.path) return new URL(path, origin).toString();
  if (route.latest?.origin !== origin) route.latest = { origin, url: new URL(path, origin).toString() };
  return route.latest.url;
}

/** The host that a request was sent to: `:authority`, or `host` where the peer sent only that (RFC 9113, 8.3.1). */
function authorityOf(headers: IncomingHttpHeaders): string {
  const authority = headers[":authority"] ?? headers.host;
  if (authority === undefined) throw new ConnectError("a request without a host", Code.Internal);
  return authority;
}
