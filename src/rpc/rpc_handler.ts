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
import { cutTimeouts } from "./call_timeout.ts";
import { textSides } from "../transport/content_types.ts";
import { answerHttp1 } from "./http1_universal.ts";
import { explained } from "./explained_status.ts";
import { createUnaryWay, type UnaryWay } from "./grpc_unary.ts";
import { answerText, receiveText } from "./grpc_web_text.ts";
import { GZIP } from "./messages/gzip.ts";
import { toWebHeaders } from "./http2_headers.ts";
import { answerUniversally, type BodyStart, type PreparedRequest, type Receive } from "./http2_universal.ts";
import type { Http2Call, WireHandler } from "../transport/http_handler.ts";
import type { MessageBounds } from "./messages/message_bounds.ts";
import { MessageBudget } from "./messages/message_budget.ts";
import { createMessageGate, type MessageGate } from "./messages/message_check.ts";
import { type OwnAnswer, refuseCall, sendOverHttp1, sendOverHttp2 } from "../transport/own_answer.ts";
import { receiveRequest, type Receiving } from "./messages/received_body.ts";
import { Turns } from "./messages/turns.ts";
import { UnreadableMessages } from "./messages/unreadable_messages.ts";

/** What the messages of all calls may take where nothing else is asked for. */
const BUDGET_BYTES = 64 * 1024 * 1024;

/** Of a name that is not served, in the refusal. */
const NAME_CHARACTERS_MAX = 100;

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
    // Not with setImmediate, for the reason in time_slices.ts.
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
  const services = new Set(router.handlers.map(({ service }) => service.typeName));
  for (const connectHandler of router.handlers) {
    const { requestPath: path, allowedMethods } = connectHandler;
    const handler = explained(connectHandler, allowedMethods);
    byPath.set(path, { path, handler, unary: unaryWays.get(path), gate: gates.get(path)!, latest: undefined });
  }

  return {
    http1(request, response) {
      const { method = "", url = "", headers } = request;
      const route = routeOf(url);
      if (route === undefined) return sendOverHttp1(response, notServed(method, url, headers));
      const { handler, receive } = wayOf(route, headers);
      answerHttp1(handler, request, response, receive, (error) => {
        log.error({ path: route.path, error: errorFields(error) }, "answer not sent by a fault of the service");
      });
    },
    http2(call) {
      const { ":method": method = "", ":path": path = "" } = call.headers;
      const route = routeOf(path);
      if (route === undefined) return sendOverHttp2(call, notServed(method, path, call.headers));
      const request: PreparedRequest = { url: urlOf(call, route), header: toWebHeaders(call.headers) };
      cutTimeouts(request.header, given.maxTimeoutMs);
      const other = (body?: BodyStart, refused?: ConnectError) => {
        const { handler, receive } = wayOf(route, call.headers, refused);
        answerUniversally(handler, call, request, receive, body).catch((error) => notWritten(call, error));
      };
      if (route.unary === undefined) return other();
      route.unary(call, request, { other, failed: (error) => notWritten(call, error) });
    },
  };

  /** By path with or without a query. */
  function routeOf(path: string): Route | undefined {
    return byPath.get(path) ?? byPath.get(path.split("?", 1)[0]!);
  }

  /** What is unknown of the path: the service, or only its method. */
  function notServed(method: string, path: string, headers: IncomingHttpHeaders): OwnAnswer {
    const [, service, name] = /^\/([^/?]+)\/([^/?]+)(?:\?|$)/.exec(path) ?? [];
    const what = service === undefined
      ? "this path"
      : services.has(service)
      ? `method ${shortened(name!)} of ${service}`
      : `service ${shortened(service)}`;
    const asked = { method, contentType: headers["content-type"], accept: headers.accept };
    return refuseCall(asked, { code: Code.Unimplemented, message: `${what} is not served here`, status: 404 });
  }

  /** Connect's handler of the route gets what is left of the request when all is cut, unpacked and checked. */
  function wayOf({ handler, gate }: Route, headers: IncomingHttpHeaders, refused?: ConnectError) {
    const receive: Receive = (chunks, header, values) => {
      cutTimeouts(header, given.maxTimeoutMs);
      return receiveRequest(chunks, header, gate, receiving, values, refused);
    };
    const { request, answer } = textSides(headers["content-type"], headers.accept);
    return {
      handler: answer ? answerText(handler) : handler,
      receive: request ? receiveText(receive, gate.bytesMax) : receive,
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

function shortened(name: string): string {
  return name.length <= NAME_CHARACTERS_MAX ? name : `${name.slice(0, NAME_CHARACTERS_MAX)}…`;
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
