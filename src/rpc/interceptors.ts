/**
 * What every call that could be decoded goes through beside its time (`deadline.ts`): the last word on errors with the
 * log of calls, and the refusal of new ones at shutdown.
 */
import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import { errorFields, type Log } from "../telemetry/log.ts";
import { REQUEST_ID_HEADER } from "../transport/exchange.ts";
import { drainingError, internalError } from "./errors.ts";
import { seenCall } from "./seen_call.ts";
import { boundError } from "./trailer_budget.ts";

/** Whose call it is, for the log. */
export interface LoggedCall {
  readonly requestId: string | null;
  /** With its service, such as `inventory.v1.InventoryService/Sell`. */
  readonly method: string;
}

/**
 * The error as its caller gets it: one that is not meant for the wire is a fault of the service, is logged under the
 * call's request id, and answered as INTERNAL with a fixed text. @param what has failed, for the log
 */
export function errorForCaller(error: unknown, call: LoggedCall, log: Log, what = "call"): ConnectError {
  if (error instanceof ConnectError) return error;
  log.error({ ...call, error: errorFields(error) }, `${what} failed by a fault of the service`);
  return internalError();
}

/** The last word on errors, and the log of calls. */
export function errorBoundary(log: Log): Interceptor {
  return (next) => async (request) => {
    try {
      const response = await next(request);
      log.debug(loggedCall(request), "call answered");
      if (!response.stream) return response;
      return { ...response, message: answering(response.message, (error) => answerTo(error, request, log)) };
    } catch (error) {
      throw answerTo(error, request, log);
    }
  };
}

type Request = Parameters<ReturnType<Interceptor>>[0];

/** What is answered for an error of this call, which is logged, and noted with the call. */
function answerTo(error: unknown, request: Request, log: Log): ConnectError {
  const call = loggedCall(request);
  const answer = boundError(errorForCaller(error, call, log));
  if (error instanceof ConnectError) log.debug({ ...call, code: Code[answer.code], error }, "call not done");
  seenCall(request.contextValues)?.noteError(answer);
  // In the trailers too, where gRPC clients look when a call has failed.
  if (call.requestId !== null) answer.metadata.set(REQUEST_ID_HEADER, call.requestId);
  return answer;
}

function loggedCall({ header, service, method }: Request) {
  return { requestId: header.get(REQUEST_ID_HEADER), method: `${service.typeName}/${method.name}` };
}

/**
 * A stream's messages, with an error among them turned into the one to answer. No generator: `yield*` of one was
 * measured to take 5 % of a server's time whose sales are watched by 500 streams, a message for each.
 */
function answering<T>(messages: AsyncIterable<T>, answerTo: (error: unknown) => ConnectError): AsyncIterable<T> {
  const source = messages[Symbol.asyncIterator]();
  const failed = (error: unknown): never => {
    throw answerTo(error);
  };
  const iterator: AsyncIterator<T> = {
    next: () => source.next().catch(failed),
    return: (value) => Promise.resolve(source.return?.(value) ?? { done: true, value }).catch(failed),
    throw: (error) => Promise.resolve(source.throw?.(error) ?? Promise.reject(error)).catch(failed),
  };
  return { [Symbol.asyncIterator]: () => iterator };
}

/** Refuses calls once `isDraining` says so. Methods of `exempt` services stay open, so that health can be asked for. */
export function refuseWhileDraining(isDraining: () => boolean, exempt: ReadonlySet<string>): Interceptor {
  return (next) => (request) => {
    if (isDraining() && !exempt.has(request.service.typeName)) throw drainingError();
    return next(request);
  };
}
