/**
 * What every call that could be decoded goes through, from the outside in: the last word on errors, the gate that
 * closes at shutdown, and the deadline.
 */
import { Code, ConnectError, createContextKey, type HandlerContext, type Interceptor } from "@connectrpc/connect";
import { errorFields, type Log } from "../telemetry/log.ts";
import { isCallBound, limitPassed } from "./call_bound.ts";
import { drainingError, internalError } from "./errors.ts";
import { REQUEST_ID_HEADER } from "../transport/request_id.ts";
import { boundError } from "./trailer_budget.ts";

const callSignalKey = createContextKey<AbortSignal | undefined>(undefined, { description: "end of a unary call" });

/** Aborts when the call's time is up or its caller has gone. Never lasts longer than the server's limit. */
export function callSignal(context: HandlerContext): AbortSignal {
  return context.values.get(callSignalKey) ?? context.signal;
}

/**
 * The last word on errors: one that is not meant for the wire is logged under the call's request id and answered
 * as INTERNAL with a fixed text.
 */
export function identify(log: Log): Interceptor {
  return (next) => async (request) => {
    const requestId = request.header.get(REQUEST_ID_HEADER);
    const method = `${request.service.typeName}/${request.method.name}`;
    const answerTo = (error: unknown): ConnectError => {
      const answer = error instanceof ConnectError ? boundError(error) : internalError();
      if (error instanceof ConnectError) {
        log.debug({ requestId, method, code: Code[answer.code], error }, "call not done");
      } else log.error({ requestId, method, error: errorFields(error) }, "call failed by a fault of the service");
      // In the trailers too, where gRPC clients look when a call has failed.
      if (requestId !== null) answer.metadata.set(REQUEST_ID_HEADER, requestId);
      return answer;
    };
    try {
      const response = await next(request);
      log.debug({ requestId, method }, "call answered");
      return response.stream ? { ...response, message: answering(response.message, answerTo) } : response;
    } catch (error) {
      throw answerTo(error);
    }
  };
}

/** A stream's messages, with an error on the way turned into the one to answer. */
async function* answering<T>(messages: AsyncIterable<T>, answerTo: (error: unknown) => ConnectError) {
  try {
    yield* messages;
  } catch (error) {
    throw answerTo(error);
  }
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
 * raises a signal and goes on waiting for the handler. Keeps no time of its own for calls that are bound already.
 */
export function deadline(timeoutMsMax: number, log: Log): Interceptor {
  return (next) => async (request) => {
    if (request.stream) return await next(request);
    const own = isCallBound(request.contextValues) ? undefined : new AbortController();
    const signal = own?.signal ?? request.signal;
    const { promise: ended, reject } = Promise.withResolvers<never>();
    const end = (reason: ConnectError) => {
      own?.abort(reason);
      reject(reason);
    };
    const timer = own && setTimeout(() => end(limitPassed(timeoutMsMax)), timeoutMsMax);
    const leave = () => end(ending(request.signal.reason));
    if (request.signal.aborted) leave();
    request.signal.addEventListener("abort", leave, { once: true });
    if (own) request.contextValues.set(callSignalKey, signal);
    try {
      if (signal.aborted) return await ended;
      const answer = next(request);
      answer.catch((error) => {
        // Nobody waits for it any more, so this is where a fault would go unseen.
        if (signal.aborted && error !== signal.reason && !(error instanceof ConnectError)) {
          log.error({ error: errorFields(error) }, "a call failed after its end by a fault of the service");
        }
      });
      return await Promise.race([ended, answer]);
    } finally {
      clearTimeout(timer);
      request.signal.removeEventListener("abort", leave);
    }
  };
}

function ending(reason: unknown): ConnectError {
  return reason instanceof ConnectError ? reason : new ConnectError("the caller has gone", Code.Canceled);
}
