/**
 * One router for both protocols: HTTP/1.1 goes to its handlers as connect-node has it, HTTP/2 straight from the stream,
 * and plain unary gRPC calls by the fast path.
 */
import type { DescMethod } from "@bufbuild/protobuf";
import {
  type ConnectError,
  type ConnectRouter,
  type ConnectRouterOptions,
  type ContextValues,
  createConnectRouter,
  createMethodImplSpec,
  createServiceImplSpec,
  type Interceptor,
  type MethodImplSpec,
} from "@connectrpc/connect";
import {
  type UniversalHandler,
  type UniversalHandlerFn,
  validateUniversalHandlerOptions,
} from "@connectrpc/connect/protocol";
import http2, { type IncomingHttpHeaders } from "node:http2";
import { errorFields, type Log } from "../telemetry/log.ts";
import { cutTimeouts } from "./deadline.ts";
import { textSides } from "../transport/content_types.ts";
import { type Known, notServed } from "./not_served.ts";
import { CallUrls } from "./universal/call_url.ts";
import { answerGet, faultOf, faultOfHost, isCallByGet, parametersOf } from "./universal/get.ts";
import { answerHttp1 } from "./universal/http1.ts";
import { explained } from "./universal/explained_status.ts";
import { beginCall, observed, type SeenBy } from "./seen_call.ts";
import { isOfStreams, UNCOMPRESSED, UNREAD_STREAM_MS } from "./stream_methods.ts";
import { createUnaryPath, type UnaryPath } from "./unary.ts";
import { answerText, receiveText } from "./universal/web_text.ts";
import { GZIP } from "./messages/gzip.ts";
import { LazyHeaders } from "../transport/http2/headers.ts";
import { answerUniversally, type BodyStart, type PreparedRequest, type Receive } from "./universal/http2.ts";
import { callerValues } from "../transport/addresses.ts";
import { streamValues } from "../transport/leaving.ts";
import type { Http1Asked, Http2Call, WireHandler } from "../transport/exchange.ts";
import { type Admitted, type CallAdmission, decide, isOpen, refusalOf } from "./admission.ts";
import { createMessageCheck, type MessageBounds, type MessageCheck, UnreadableMessages } from "./messages/check.ts";
import { MessageBudget } from "./messages/budget.ts";
import { sendOverHttp1, sendOverHttp2 } from "../transport/own_answer.ts";
import { receiveRequest, type Receiving } from "./messages/received_body.ts";
import { Turns } from "./messages/turns.ts";

/** What the messages of all calls may take where nothing else is asked for. */
const BUDGET_BYTES = 64 * 1024 * 1024;

/**
 * How to serve: what Connect's routers take, and the rest. gzip is the one encoding, and unknown fields are not kept.
 */
export interface RpcHandlerOptions extends Omit<ConnectRouterOptions, "acceptCompression">, SeenBy {
  /** Adds the services. Called once. */
  readonly routes: (router: ConnectRouter) => void;
  /**
   * A unary gRPC call over HTTP/2 without a deadline of its own has its signal aborted after this. Whoever answers for
   * a handler that does not heed its signal is an interceptor. Absent: there is no such limit.
   */
  readonly unaryMsMax?: number;
  /** Inside of the others, and of use to streams alone: unary gRPC over HTTP/2 goes without. Absent: there are none. */
  readonly streamInterceptors?: readonly Interceptor[];
  /**
   * What one message of a method may be. Absent, or undefined for a method: `readMaxBytes` of its service is its bound.
   */
  readonly bounds?: (method: DescMethod) => MessageBounds | undefined;
  /** What the messages of all calls may take. Absent: 64 MiB. */
  readonly budget?: MessageBudget;
  /** Whether a GET to this host, as the request names it, can be no other page's. Absent: every one. */
  readonly isOwnHost?: (host: string | undefined) => boolean;
  /** Where messages are counted that can't be read. */
  readonly unreadable?: UnreadableMessages;
  /** How long the peer of a stream over HTTP/1 may read nothing of a message, in ms. */
  readonly unreadStreamMs?: number;
  /** Decides which calls go on. Absent: all of them do. */
  readonly admission?: CallAdmission | undefined;
  readonly log: Log;
}

/** One method, by its path. */
interface Route {
  readonly path: string;
  readonly method: DescMethod;
  /** Connect's handler of it. */
  readonly handler: UniversalHandlerFn;
  /** Absent where every call goes to Connect's handler. */
  readonly unary: UnaryPath | undefined;
  readonly check: MessageCheck;
  /** It has no side effects, and so may be called by GET. */
  readonly allowsGet: boolean;
  /** Its answers are of many messages: they have limits of their own, and the server's of unary calls is not theirs. */
  readonly isStream: boolean;
  readonly urls: CallUrls;
}

/** Makes the handler. It throws where no URL can be made of a request's host and path, or no header of its fields. */
export function createRpcHandler(options: RpcHandlerOptions): WireHandler {
  return new Router(options);
}

class Router implements WireHandler {
  readonly #log: Log;
  readonly #options: RpcHandlerOptions & ConnectRouterOptions;
  readonly #receiving: Receiving;
  readonly #unreadable: UnreadableMessages;
  readonly #byPath = new Map<string, Route>();
  readonly #known: Known;

  constructor(options: RpcHandlerOptions) {
    const { routes, log, budget, unreadable, ...given } = options;
    this.#known = { services: new Set(), observer: given.observer };
    this.#log = log;
    this.#unreadable = unreadable ?? new UnreadableMessages(log);
    this.#receiving = {
      budget: budget ?? new MessageBudget(BUDGET_BYTES),
      // Not with setImmediate, for the reason in time_slices.ts.
      turns: new Turns({ nowMs: () => performance.now(), later: (then, afterMs) => void setTimeout(then, afterMs) }),
    };
    this.#options = {
      ...given,
      routes,
      log,
      acceptCompression: [GZIP],
      binaryOptions: { ...given.binaryOptions, readUnknownFields: false },
    };
    routes(this.#connectRouter());
  }

  http1(...asked: Http1Asked): void | Promise<void> {
    const [request, response, call] = asked;
    const { method = "", url: path = "", headers, socket } = request;
    const { admission } = this.#options;
    const route = this.#routeOf(path);
    const values = route?.isStream ? streamValues(call.address, socket) : callerValues(call.address);
    const seen = beginCall(this.#options, route?.path, headers, values, response);
    if (admission === undefined || isOpen(admission, route?.isStream)) {
      return this.#answerHttp1(asked, route, values);
    }
    const goOn = (refused: Admitted) => {
      if (refused === undefined) return this.#answerHttp1(asked, route, values);
      seen?.end(refused);
      const sent = { method, headers, isGet: isCallByGet(method, path) };
      sendOverHttp1(response, refusalOf(sent, refused, admission));
    };
    const answer = { onceClosed: (closed: () => void) => void response.once("close", closed) };
    const head = { method: route?.method, path, headers, carrier: socket, answer, values };
    const admitted = decide(admission, head, this.#log);
    if (!(admitted instanceof Promise)) return goOn(admitted);
    return admitted.then((refused) => socket.destroyed ? undefined : goOn(refused));
  }

  http2(call: Http2Call): void | Promise<void> {
    const { headers, stream } = call;
    const { ":method": method = "", ":path": path = "" } = headers;
    const { admission } = this.#options;
    const route = this.#routeOf(path);
    const values = route?.isStream ? streamValues(call.address, stream.session) : callerValues(call.address);
    const seen = beginCall(this.#options, route?.path, headers, values, stream);
    if (admission === undefined || isOpen(admission, route?.isStream)) return this.#answerHttp2(call, route, values);
    const head = { method: route?.method, path, headers, carrier: stream.session, answer: call, values };
    const admitted = decide(admission, head, this.#log);
    // Nearly every call, for which nothing more is made.
    if (admitted === undefined) return this.#answerHttp2(call, route, values);
    const goOn = (refused: Admitted) => {
      if (refused === undefined) return this.#answerHttp2(call, route, values);
      seen?.end(refused);
      const sent = { method, headers, isGet: isCallByGet(method, path) };
      sendOverHttp2(call, refusalOf(sent, refused, admission));
    };
    if (!(admitted instanceof Promise)) return goOn(admitted);
    return admitted.then((refused) => stream.closed || stream.destroyed ? undefined : goOn(refused));
  }

  #answerHttp1(asked: Http1Asked, route: Route | undefined, values: ContextValues): void {
    const [request, response] = asked;
    const { method = "", url = "", headers } = request;
    if (route === undefined) return sendOverHttp1(response, notServed(this.#known, method, url, headers));
    const { handler, receive } = this.#universal(route, method, url, headers);
    answerHttp1(
      observed(handler, values),
      asked,
      receive,
      values,
      (error) => this.#notSent(route.path, error),
      route.isStream ? { unreadMs: this.#options.unreadStreamMs ?? UNREAD_STREAM_MS } : undefined,
    );
  }

  #answerHttp2(call: Http2Call, route: Route | undefined, values: ContextValues): void {
    const { ":method": method = "", ":path": path = "" } = call.headers;
    if (route === undefined) return sendOverHttp2(call, notServed(this.#known, method, path, call.headers));
    const { isStream, urls } = route;
    const request: PreparedRequest = { url: urls.of(call), header: new LazyHeaders(call.headers), values, isStream };
    cutTimeouts(request.header, this.#timeoutMsMax(route));
    const failed = (error: unknown) => this.#notWritten(call, error);
    const other = (body?: BodyStart, refused?: ConnectError) => {
      const { handler, receive } = this.#universal(route, method, path, call.headers, refused);
      answerUniversally(observed(handler, values), call, request, receive, body).catch(failed);
    };
    if (route.unary === undefined) other();
    else route.unary(call, request, { other, failed });
  }

  /** Connect's router, of each of whose methods a route is made. */
  #connectRouter(): ConnectRouter {
    // What is beyond ours is cut by us before Connect sees it.
    const { maxTimeoutMs: _, interceptors = [], streamInterceptors = [], ...connects } = this.#options;
    const router = createConnectRouter({ ...connects, interceptors: [...interceptors, ...streamInterceptors] });
    const add = (spec: MethodImplSpec, own: ConnectRouterOptions | undefined) => {
      const handler = router.handlers.findLast(({ method }) => method === spec.method)!;
      this.#addRoute(handler, spec, own);
    };
    const routed: ConnectRouter = {
      handlers: router.handlers,
      service(service, implementation, own) {
        router.service(service, implementation, isOfStreams(service) ? { ...own, ...UNCOMPRESSED } : own);
        Object.values(createServiceImplSpec(service, implementation).methods).forEach((spec) => add(spec, own));
        return routed;
      },
      rpc(method, implementation, own) {
        router.rpc(method, implementation, own);
        add(createMethodImplSpec(method, implementation), own);
        return routed;
      },
    };
    return routed;
  }

  #addRoute(connectHandler: UniversalHandler, spec: MethodImplSpec, own: ConnectRouterOptions | undefined): void {
    const { requestPath: path, allowedMethods } = connectHandler;
    const { bounds, grpc, unaryMsMax } = this.#options;
    const all = validateUniversalHandlerOptions({ ...this.#options, ...own });
    const bound = bounds?.(spec.method) ?? { bytesMax: all.readMaxBytes, counts: [] };
    const check = createMessageCheck(spec.method, bound, this.#unreadable);
    const isFast = spec.kind === "unary" && own?.grpc !== false && grpc !== false && !all.requestGate &&
      !all.shutdownSignal;
    const unary = isFast
      ? createUnaryPath({ spec, options: all, check, budget: this.#receiving.budget, limitMs: unaryMsMax })
      : undefined;
    this.#known.services.add(spec.method.parent.typeName);
    this.#byPath.set(path, {
      path,
      method: spec.method,
      handler: explained(connectHandler, allowedMethods, spec.kind !== "unary"),
      unary,
      check,
      allowsGet: allowedMethods.includes("GET"),
      isStream: spec.kind !== "unary",
      urls: new CallUrls(path),
    });
  }

  /** By path with or without a query. */
  #routeOf(path: string): Route | undefined {
    return this.#byPath.get(path) ?? this.#byPath.get(path.split("?", 1)[0]!);
  }

  /** Connect's handler of the route, which gets what is left of the request when all is cut, unpacked and checked. */
  #universal(
    route: Route,
    method: string,
    path: string,
    headers: IncomingHttpHeaders,
    refused?: ConnectError,
  ) {
    const { handler, check, allowsGet } = route;
    const parameters = method === "GET" && allowsGet ? parametersOf(path) : undefined;
    const { isOwnHost } = this.#options;
    const reason = parameters === undefined ? refused : faultOfHost(headers, isOwnHost) ?? faultOf(parameters);
    const receive: Receive = (chunks, header, values) => {
      cutTimeouts(header, this.#timeoutMsMax(route));
      return receiveRequest(chunks, header, check, this.#receiving, values, reason);
    };
    if (parameters !== undefined) return answerGet(handler, receive, parameters);
    const { request, answer } = textSides(headers["content-type"], headers.accept);
    return {
      handler: answer ? answerText(handler) : handler,
      receive: request ? receiveText(receive, check.bytesMax) : receive,
    };
  }

  /** The largest deadline of a call, in ms. A stream's is as long as its caller says. */
  #timeoutMsMax({ isStream }: Route): number | undefined {
    return isStream ? undefined : this.#options.maxTimeoutMs;
  }

  #notSent(path: string, error: unknown): void {
    this.#log.error({ path, error: errorFields(error) }, "answer not sent by a fault of the service");
  }

  #notWritten({ stream, headers }: Http2Call, error: unknown): void {
    const isGone = stream.closed || stream.destroyed;
    const path = headers[":path"];
    if (isGone) return this.#log.debug({ path, error }, "answer not sent, the stream is closed");
    this.#notSent(path ?? "", error);
    stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR);
  }
}
