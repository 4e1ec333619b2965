/** Errors as callers get them: a code, a reason, and typed details, within what trailers may hold; and those that no service has to itself. */
import type { DescMessage, MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { ErrorInfoSchema, RetryInfoSchema } from "../gen/google/rpc/error_details_pb.ts";
import { boundError } from "./trailer_budget.ts";

/** One typed detail of an error. */
export type Detail = { readonly desc: DescMessage; readonly value: MessageInitShape<DescMessage> };

/** ErrorInfo's domain: whose reasons these are. */
const DOMAIN = "inventory.v1";
/** How long a caller is asked to wait before it sends the same request again. */
const RETRY_AFTER_MS = 100;

/** Every new call while the program shuts down. */
export function drainingError(): ConnectError {
  return detailedError(Code.Unavailable, "shutting down", [info("DRAINING", {}), retryInfo()]);
}

/** There is no room for the message of a call, on top of those that are being worked on. */
export function budgetSpent(): ConnectError {
  return detailedError(Code.ResourceExhausted, "too many bytes of messages are being worked on", [
    info("MESSAGE_BYTES_SPENT", {}),
    retryInfo(),
  ]);
}

/** A fault of the service: what caused it is for the log, under the request's id. */
export function internalError(): ConnectError {
  return new ConnectError("internal error", Code.Internal);
}

/** With what of text and details fits into trailers. */
export function detailedError(code: Code, message: string, details: Detail[]): ConnectError {
  return boundError(new ConnectError(message, code, undefined, details));
}

/** The reason of an error, and what belongs to it. */
export function info(reason: string, metadata: Readonly<Record<string, string>>): Detail {
  return { desc: ErrorInfoSchema, value: { reason, domain: DOMAIN, metadata: { ...metadata } } };
}

/** That the same request may be sent again, and when. */
export function retryInfo(): Detail {
  const nanos = RETRY_AFTER_MS * 1_000_000;
  return { desc: RetryInfoSchema, value: { retryDelay: { seconds: 0n, nanos } } };
}
