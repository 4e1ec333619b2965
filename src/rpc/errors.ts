/**
 * Errors of calls as their callers get them: a code, a reason and typed details, within what trailers may be. Every
 * error that this room answers has its code from here; what a service refuses has it from that service.
 */
import type { DescMessage, MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import http2 from "node:http2";
import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema } from "../gen/google/rpc/error_details_pb.ts";
import { boundError } from "./trailer_budget.ts";

/** One typed detail of an error. */
export type Detail = { readonly desc: DescMessage; readonly value: MessageInitShape<DescMessage> };

/** ErrorInfo's domain: whose reasons these are. */
const DOMAIN = "inventory.v1";
/** How long a caller is asked to wait before it sends the same request again, where nothing else is known. */
const RETRY_AFTER_MS = 100;
/**
 * Broken rules that one answer names, in count and in bytes: they travel in trailers, which some clients bound at 8
 * KiB.
 */
const VIOLATIONS_MAX = 50;
const VIOLATIONS_BYTES_MAX = 3_500;
/** The unknown skus that an error names in its detail, as a JSON list; beside the longest text. */
const SKUS_BYTES_MAX = 4_000;
/** And in its text. */
const SKUS_IN_TEXT_MAX = 5;
/** What stands around the texts of one. */
const VIOLATION_BYTES = 8;
/** Of a host, in an error. */
const HOST_CHARACTERS_MAX = 100;

/**
 * The reason of a signal that aborts without one: what a call gets that has been answered, or whose stream closed
 * without an error. One for all of them: a DOMException of its own was measured to cost each call 4 µs.
 */
export const CALL_OVER: unknown = AbortSignal.abort().reason;

const { constants } = http2;
/** The gRPC protocol over HTTP/2, "Errors". NO_ERROR and STREAM_CLOSED say nothing and are left out. */
const RESETS: ReadonlyMap<number, readonly [name: string, Code]> = new Map([
  [constants.NGHTTP2_PROTOCOL_ERROR, ["PROTOCOL_ERROR", Code.Internal]],
  [constants.NGHTTP2_INTERNAL_ERROR, ["INTERNAL_ERROR", Code.Internal]],
  [constants.NGHTTP2_FLOW_CONTROL_ERROR, ["FLOW_CONTROL_ERROR", Code.Internal]],
  [constants.NGHTTP2_SETTINGS_TIMEOUT, ["SETTINGS_TIMEOUT", Code.Internal]],
  [constants.NGHTTP2_FRAME_SIZE_ERROR, ["FRAME_SIZE_ERROR", Code.Internal]],
  [constants.NGHTTP2_REFUSED_STREAM, ["REFUSED_STREAM", Code.Unavailable]],
  [constants.NGHTTP2_CANCEL, ["CANCEL", Code.Canceled]],
  [constants.NGHTTP2_COMPRESSION_ERROR, ["COMPRESSION_ERROR", Code.Internal]],
  [constants.NGHTTP2_CONNECT_ERROR, ["CONNECT_ERROR", Code.Internal]],
  [constants.NGHTTP2_ENHANCE_YOUR_CALM, ["ENHANCE_YOUR_CALM", Code.ResourceExhausted]],
  [constants.NGHTTP2_INADEQUATE_SECURITY, ["INADEQUATE_SECURITY", Code.PermissionDenied]],
  [constants.NGHTTP2_HTTP_1_1_REQUIRED, ["HTTP_1_1_REQUIRED", Code.PermissionDenied]],
]);

/** Every new call while the program shuts down. */
export function drainingError(): ConnectError {
  return detailedError(Code.Unavailable, "shutting down", [info("DRAINING", {}), retryInfo()]);
}

/** The message of a call is more than may be worked on beside the others. */
export function budgetSpent(): ConnectError {
  return detailedError(Code.ResourceExhausted, "too many bytes of messages are being worked on", [
    info("MESSAGE_BYTES_SPENT", {}),
    retryInfo(),
  ]);
}

/** A fault of the service: what caused it is for the log, under the request's id. */
export function internalError(cause?: unknown): ConnectError {
  return new ConnectError("internal error", Code.Internal, undefined, undefined, cause);
}

/** A GET under a name that may be anybody's, whose page it then may be. */
export function notOurName(host: string): ConnectError {
  const said = host.length <= HOST_CHARACTERS_MAX ? host : `${host.slice(0, HOST_CHARACTERS_MAX)}…`;
  return new ConnectError(
    `expected a GET to an address, to localhost or to a name of ALLOWED_HOSTS, got one to ${said}; or use POST`,
    Code.PermissionDenied,
  );
}

/** A call whose deadline passed, as Connect says it. */
export function deadlinePassed(): ConnectError {
  return new ConnectError("the operation timed out", Code.DeadlineExceeded);
}

/** A call that took the server's limit. */
export function limitPassed(limitMs: number): ConnectError {
  return new ConnectError(`the server's limit of ${limitMs} ms passed`, Code.DeadlineExceeded);
}

/** A call whose caller has gone; nobody gets this. */
export function callerGone(cause?: unknown): ConnectError {
  return new ConnectError("the caller has gone", Code.Canceled, undefined, undefined, cause);
}

/** A stream that can't be written to or read from any more; nobody gets this. */
export function streamClosed(): ConnectError {
  return new ConnectError("the stream is closed", Code.Aborted);
}

/** A stream was reset because its peer reads no answers. */
export function answersUnread(): ConnectError {
  return new ConnectError("the peer takes no answers", Code.ResourceExhausted);
}

/** Why a stream has closed, from the code of its reset: a ConnectError, or {@link CALL_OVER} where it has none. */
export function closeReason(rstCode: number | undefined): unknown {
  const reset = RESETS.get(rstCode ?? 0);
  if (reset === undefined) return CALL_OVER;
  const [name, code] = reset;
  return new ConnectError(`http/2 stream closed with error code ${name} (0x${rstCode!.toString(16)})`, code);
}

/** A body that is not what its protocol says. */
export function protocolError(what: string): ConnectError {
  return new ConnectError(`protocol error: ${what}`, Code.InvalidArgument);
}

/** A second message where a method takes one. */
export function extraMessage(): ConnectError {
  return new ConnectError("protocol error: received extra input message for unary method", Code.Unimplemented);
}

/** A body that should be base64. */
export function notBase64(why: string): ConnectError {
  return new ConnectError(`the body is not base64: ${why}`, Code.InvalidArgument);
}

/** A body that should be gzip. */
export function notGzip(cause: unknown): ConnectError {
  return new ConnectError("decompression failed", Code.InvalidArgument, undefined, undefined, cause);
}

/** A message that is not what its encoding and its schema say. */
export function unreadableMessage(why: string): ConnectError {
  return new ConnectError(`the message can't be read: ${why}`, Code.InvalidArgument);
}

/** What is larger than it may be. @param what and how it is, such as "message size 7 is larger than configured ..." */
export function tooLarge(what: string): ConnectError {
  return new ConnectError(what, Code.ResourceExhausted);
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
export function retryInfo(afterMs = RETRY_AFTER_MS): Detail {
  const whole = Math.ceil(afterMs);
  const [seconds, nanos] = [BigInt(Math.floor(whole / 1000)), whole % 1000 * 1_000_000];
  return { desc: RetryInfoSchema, value: { retryDelay: { seconds, nanos } } };
}

/** The rules that a request breaks, collected, so that its caller sees all of them at once. */
export class Violations {
  readonly #found: { field: string; description: string }[] = [];
  /** Absent: none. Nearly every request has none, and every request is looked at several times. */
  #unknownSkus: Set<string> | undefined;

  /** A field may be named as its caller wrote it; half of a surrogate pair becomes U+FFFD, as no wire has it. */
  add(field: string, description: string): void {
    this.#found.push({ field: field.toWellFormed(), description: description.toWellFormed() });
  }

  /** A sku, in its form NFC, that names no goods: no broken rule, and of interest only where no rule is broken. */
  addUnknownSku(sku: string): void {
    (this.#unknownSkus ??= new Set()).add(sku);
  }

  /**
   * Throws if a rule was broken; the detail lists the first of them. Otherwise, if skus are unknown, naming those.
   *
   * @throws ConnectError INVALID_ARGUMENT or NOT_FOUND
   */
  check(): void {
    const error = this.error();
    if (error !== undefined) throw error;
  }

  /** The error to be thrown; undefined where no rule was broken, and no sku is unknown. */
  error(): ConnectError | undefined {
    const count = this.#found.length;
    if (count === 0) return this.#unknownSkus && unknownSkus([...this.#unknownSkus]);
    const [first] = this.#found;
    const more = count > 1 ? `, and ${count - 1} more` : "";
    return new ConnectError(`${first?.field}: ${first?.description}${more}`, Code.InvalidArgument, undefined, [
      { desc: BadRequestSchema, value: { fieldViolations: named(this.#found) } },
    ]);
  }
}

/** Nothing has these names: all of them, as far as trailers take them. */
export function unknownSkus(skus: readonly string[]): ConnectError {
  let bytes = 0;
  const end = skus.findIndex((sku) => (bytes += utf8Bytes(JSON.stringify(sku)) + 1) > SKUS_BYTES_MAX);
  const named = end === -1 ? skus : skus.slice(0, end);
  const more = skus.length - named.length;
  const first = skus.slice(0, SKUS_IN_TEXT_MAX).map((sku) => JSON.stringify(sku)).join(", ");
  const others = skus.length > SKUS_IN_TEXT_MAX ? ` and ${skus.length - SKUS_IN_TEXT_MAX} more` : "";
  return detailedError(Code.NotFound, `unknown sku: ${first}${others}`, [
    info("UNKNOWN_SKU", { skus: JSON.stringify(named), ...(more > 0 ? { more: `${more}` } : {}) }),
  ]);
}

function named<V extends { field: string; description: string }>(found: readonly V[]): V[] {
  let bytes = 0;
  const end = found.findIndex(({ field, description }) =>
    (bytes += VIOLATION_BYTES + utf8Bytes(field) + utf8Bytes(description)) > VIOLATIONS_BYTES_MAX
  );
  return found.slice(0, Math.min(end === -1 ? found.length : end, VIOLATIONS_MAX));
}

function utf8Bytes(text: string): number {
  return new TextEncoder().encode(text).length;
}
