/** What may be wrong with a batch as such, and what may be said of an error of one of its parts. */
import { ConnectError, type HandlerContext } from "@connectrpc/connect";
import { Violations } from "../rpc/errors.ts";
import { errorForCaller } from "../rpc/interceptors.ts";
import type { Log } from "../telemetry/log.ts";
import { REQUEST_ID_HEADER } from "../transport/exchange.ts";
import { checkCount } from "./validation.ts";

/** A batch has at least one part, and at most `max`. @throws ConnectError INVALID_ARGUMENT */
export function checkParts(field: string, part: string, count: number, max: number): void {
  const violations = new Violations();
  checkCount(violations, field, part, { count, max });
  violations.check();
}

/** Answers what may be said of an error. A fault is logged under the call's request id, once for all it befell. */
export function errorsOf(context: HandlerContext, log: Log): (error: unknown) => ConnectError {
  const answers = new Map<unknown, ConnectError>();
  return (error) => {
    if (error instanceof ConnectError) return error;
    const known = answers.get(error);
    if (known !== undefined) return known;
    const requestId = context.requestHeader.get(REQUEST_ID_HEADER);
    const method = `${context.service.typeName}/${context.method.name}`;
    const answer = errorForCaller(error, { requestId, method }, log, "a part of a batch");
    answers.set(error, answer);
    return answer;
  };
}
