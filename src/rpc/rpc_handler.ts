/**
 * One router for both protocols: HTTP/1.1 goes to its handlers as connect-node has it, HTTP/2 straight from the stream, and
 * plain unary gRPC calls the short way.
 */
import type { DescMethod } from "@bufbuild/protobuf";
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
import {
  createMethodUrl,
  type UniversalHandlerFn,
  validateUniversalHandlerOptions,
} from "@connectrpc/connect/protocol";
import http2, { type IncomingHttpHeaders } from "node:http2";
import { errorFields, type Log } from "../telemetry/log.ts";
import { addressKey } from "./address_key.ts";
import { cutTimeouts } from "./call_timeout.ts";
import { answerHttp1 } from "./http1_universal.ts";
import { createUnaryWay, type UnaryWay } from "./grpc_unary.ts";
import { GZIP } from "./gzip.ts";
import { toWebHeaders } from "./http2_headers.ts";
import { answerUniversally, type BodyStart, type PreparedRequest, type Receive } from "./http2_universal.ts";
import type { Http2Call, WireHandler } from "./http_handler.ts";
import type { MessageBounds } from "./message_bounds.ts";
import { MessageBudget } from "./message_budget.ts";
import { createMessageGate, type MessageGate } from "./message_gate.ts";
import { receiveRequest, type Receiving } from "./received_body.ts";
import { Turns } from "./turns.ts";
import { UnreadableMessages } from "./unreadable_messages.ts";

/** What the messages of all calls may take where nothing else is asked for. */
const BUDGET_BYTES = 64 * 1024 * 1024;

/** How to serve: what Connect's routers take, and the rest. gzip is the one encoding, and unknown fields are not kept. */
export interface RpcHandlerOptions extends Omit<ConnectRouterOptions, "acceptCompression"> {
  /** Adds the services. Called once. */
  readonly routes: (router: ConnectRouter) => void;
  /**
   * A unary gRPC call over HTTP/2 without a deadline of its own has its signal aborted after this. Whoever answers for a
   * handler that does not heed its signal is an interceptor. Absent: there is no such limit.
   */
  readonly unaryMsMax?: number;
  /** What one message of a method may be. Absent, or undefined for a method: `readMaxBytes` of its service is its bound. */
  readonly bounds?: (method: DescMethod) => MessageBounds | undefined;
  /** What the messages of all calls may take. Absent: 64 MiB. */
  readonly budget?: MessageBudget;
  /** Where messages are counted that can't be read. */
  readonly unreadable?: UnreadableMessages;
  readonly log: Log;
}

interface Route {
  readonly path: string;
  readonly handler: UniversalHandlerFn;
  readonly unary: UnaryWay | undefined;
  readonly gate: MessageGate;
  /** The origin of the latest call, and the URL made of it: most callers name the same one. */
  latest: { readonly origin: string; readonly url: string } | undefined;
}

/** Makes the handler. It throws where no URL can be made of a request's host and path, or no header of its fields. */
export function createRpcHandler(handlerOptions: RpcHandlerOptions): WireHandler {
  const { routes, log, unaryMsMax, bounds, budget, unreadable = new UnreadableMessages(log), ...given } =
    handlerOptions;
  const receiving: Receiving = {
    budget: budget ?? new MessageBudget(BUDGET_BYTES),
    // Not with setImmediate, for the reason in slices.ts.
    turns: new Turns({ nowMs: () => performance.now(), later: (then, afterMs) => void setTimeout(then, afterMs) }),
  };
  const options = {
    ...given,
    acceptCompression: [GZIP],
    binaryOptions: { ...given.binaryOptions, readUnknownFields: false },
  };
  const router = createConnectRouter(options);
  const unaryWays = new Map<string, UnaryWay | undefined>();
  const gates = new Map<string, MessageGate>();
  const recording: ConnectRouter = {
    handlers: router.handlers,
    service(service, implementation, own) {
      router.service(service, implementation, own);
      Object.values(createServiceImplSpec(service, implementation).methods).forEach((spec) => addMethod(spec, own));
      return recording;
    },
    rpc(method, implementation, own) {
      router.rpc(method, implementation, own);
      addMethod(createMethodImplSpec(method, implementation), own);
      return recording;
    },
  };
  routes(recording);
  const byPath = new Map<string, Route>();
  for (const handler of router.handlers) {
    const path = handler.requestPath;
    byPath.set(path, { path, handler, unary: unaryWays.get(path), gate: gates.get(path)!, latest: undefined });
  }

  return {
    http1(request, response) {
      const route = routeOf(request.url ?? "");
      if (route === undefined) return void response.writeHead(404).end();
      const receive = receiverOf(route, addressKey(request.socket.remoteAddress));
      answerHttp1(route.handler, request, response, receive, (error) => {
        log.error({ path: route.path, error: errorFields(error) }, "answer not sent by a fault of the service");
      });
    },
    http2(call) {
      const route = routeOf(call.headers[":path"] ?? "");
      if (route === undefined) return notFound(call);
      const request: PreparedRequest = { url: urlOf(call, route), header: toWebHeaders(call.headers) };
      cutTimeouts(request.header, given.maxTimeoutMs);
      const other = (body?: BodyStart, refused?: ConnectError) => {
        answerUniversally(route.handler, call, request, receiverOf(route, call.address, refused), body)
          .catch((error) => notWritten(call, error));
      };
      if (route.unary === undefined) return other();
      route.unary(call, request, { other, failed: (error) => notWritten(call, error) });
    },
  };

  /** By path with or without a query. */
  function routeOf(path: string): Route | undefined {
    return byPath.get(path) ?? byPath.get(path.split("?", 1)[0]!);
  }

  /** Connect's handler of the route gets what is left of the request when all is cut, unpacked and checked. */
  function receiverOf({ gate }: Route, address: string, refused?: ConnectError): Receive {
    return (chunks, header) => {
      cutTimeouts(header, given.maxTimeoutMs);
      return receiveRequest(chunks, header, gate, { ...receiving, address }, refused);
    };
  }

  function addMethod(spec: MethodImplSpec, own: ConnectRouterOptions | undefined): void {
    const all = validateUniversalHandlerOptions({ ...options, ...own });
    const path = createMethodUrl("/", spec.method);
    const bound = bounds?.(spec.method) ?? { bytesMax: all.readMaxBytes, counts: [] };
    const gate = createMessageGate(spec.method, bound, unreadable);
    gates.set(path, gate);
    const isShort = spec.kind === "unary" && own?.grpc !== false && given.grpc !== false && !all.requestGate &&
      !all.shutdownSignal;
    unaryWays.set(path, isShort ? createUnaryWay(spec, all, gate, receiving, unaryMsMax) : undefined);
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
