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
    const requestId = request.header.get(REQUEST_ID_HEADER);
    const method = `${request.service.typeName}/${request.method.name}`;
    const answerTo = (error: unknown): ConnectError => {
      const answer = boundError(errorForCaller(error, { requestId, method }, log));
      if (error instanceof ConnectError) {
        log.debug({ requestId, method, code: Code[answer.code], error }, "call not done");
      }
      seenCall(request.contextValues)?.noteError(answer);
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

/** A stream's messages, with an error among them turned into the one to answer. */
async function* answering<T>(messages: AsyncIterable<T>, answerTo: (error: unknown) => ConnectError) {
  try {
    yield* messages;
  } catch (error) {
    throw answerTo(error);
  }
}

/** Refuses calls once `isDraining` says so. Methods of `exempt` services stay open, so that health can be asked for. */
export function refuseWhileDraining(isDraining: () => boolean, exempt: ReadonlySet<string>): Interceptor {
  return (next) => (request) => {
    if (isDraining() && !exempt.has(request.service.typeName)) throw drainingError();
    return next(request);
  };
}
