/**
 * What every call goes through, from the outside in: a request id and the last word on errors, the gate that
 * closes at shutdown, and the deadline.
 */
import { Code, ConnectError, createContextKey, type HandlerContext, type Interceptor } from "@connectrpc/connect";
import { errorFields, type Log } from "../telemetry/log.ts";
import { drainingError } from "./errors.ts";

/** Header that carries the request id, both ways. */
export const REQUEST_ID_HEADER = "x-request-id";
const REQUEST_ID_PATTERN = /^[A-Za-z0-9._:-]{1,64}$/;

const callSignalKey = createContextKey<AbortSignal | undefined>(undefined, { description: "end of a unary call" });

/** Aborts when the call's time is up or its caller has gone. Never lasts longer than the server's limit. */
export function callSignal(context: HandlerContext): AbortSignal {
  return context.values.get(callSignalKey) ?? context.signal;
}

/**
 * Takes over the caller's request id, or makes one, and answers it. An error that is not meant for the wire
 * is logged under that id and answered as INTERNAL with a fixed text.
 */
export function identify(newId: () => string, log: Log): Interceptor {
  return (next) => async (request) => {
    const given = request.header.get(REQUEST_ID_HEADER) ?? "";
    const requestId = REQUEST_ID_PATTERN.test(given) ? given : newId();
    const method = `${request.service.typeName}/${request.method.name}`;
    try {
      const response = await next(request);
      response.header.set(REQUEST_ID_HEADER, requestId);
      log.debug({ requestId, method }, "call answered");
      return response;
    } catch (error) {
      const answer = error instanceof ConnectError ? error : new ConnectError("internal error", Code.Internal);
      if (answer === error) log.debug({ requestId, method, code: Code[answer.code], error }, "call not done");
      else log.error({ requestId, method, error: errorFields(error) }, "call failed by a fault of the service");
      answer.metadata.set(REQUEST_ID_HEADER, requestId);
      throw answer;
    }
  };
}

/** Refuses calls once `isClosed` says so. Methods of `exempt` services stay open, so that health can tell. */
export function gate(isClosed: () => boolean, exempt: ReadonlySet<string>): Interceptor {
  return (next) => (request) => {
    if (isClosed() && !exempt.has(request.service.typeName)) throw drainingError();
    return next(request);
  };
}

/**
 * Ends unary calls when their deadline passes, or after `timeoutMsMax` if they have none. Connect itself only
 * raises a signal and goes on waiting for the handler.
 */
export function deadline(timeoutMsMax: number): Interceptor {
  return (next) => async (request) => {
    if (request.stream) return await next(request);
    const ownLimit = new AbortController();
    const timer = setTimeout(
      () => ownLimit.abort(new ConnectError(`the server's limit of ${timeoutMsMax} ms passed`, Code.DeadlineExceeded)),
      timeoutMsMax,
    );
    const signal = AbortSignal.any([request.signal, ownLimit.signal]);
    const { promise: ended, reject } = Promise.withResolvers<never>();
    const end = () => reject(ending(signal.reason));
    if (signal.aborted) end();
    signal.addEventListener("abort", end, { once: true });
    request.contextValues.set(callSignalKey, signal);
    try {
      return await Promise.race([ended, signal.aborted ? ended : next(request)]);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
    }
  };
}

function ending(reason: unknown): ConnectError {
  return reason instanceof ConnectError ? reason : new ConnectError("the caller has gone", Code.Canceled);
}
