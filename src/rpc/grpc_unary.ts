/**
 * The short way of a unary gRPC call over HTTP/2: one message in, one message out, one write for header and message and one
 * for the trailers. It says what Connect's handler says, to the byte, without its chain of generators; whatever is not plain
 * goes to that handler.
 */
import { Code, ConnectError, type HandlerContext, type MethodImplSpec } from "@connectrpc/connect";
import {
  compressionNegotiate,
  createMethodSerializationLookup,
  encodeEnvelope,
  envelopeCompress,
  invokeUnaryImplementation,
  type UniversalHandlerOptions,
} from "@connectrpc/connect/protocol";
import {
  contentTypeProto,
  grpcStatusOk,
  headerAcceptEncoding,
  headerContentType,
  headerEncoding,
  headerGrpcStatus,
  headerTimeout,
  parseTimeout,
  setTrailerStatus,
} from "@connectrpc/connect/protocol-grpc";
import { limitPassed, setCallBound } from "./call_bound.ts";
import { CallDeadline, deadlinePassed } from "./call_deadline.ts";
import { callerValues } from "./caller_address.ts";
import { grpcTimeout } from "./call_timeout.ts";
import { budgetSpent } from "./errors.ts";
import { addFields, sendTrailersOnceWanted } from "./http2_headers.ts";
import { CALL_OVER, closeReason } from "./http2_reset.ts";
import { type BodyStart, closeOnceAnswered, type PreparedRequest } from "./http2_universal.ts";
import type { Http2Call } from "../transport/http_handler.ts";
import { FREE_BYTES, type MessageShare } from "./messages/message_budget.ts";
import type { MessageGate } from "./messages/message_check.ts";
import type { Receiving } from "./messages/received_body.ts";
import { readSingleMessage } from "./messages/single_message.ts";
import { boundTrailers } from "./trailer_budget.ts";
import { LARGE_BYTES } from "./messages/turns.ts";

/** A method that can be answered the short way. */
export type UnarySpec = MethodImplSpec & { readonly kind: "unary" };

/** What becomes of a call that was given to the short way, beside its answer. */
export interface UnaryFollowUp {
  /**
   * It is not plain: Connect's handler must answer it, with what was read of its body; with `refused`, whatever that is.
   * Called at most once.
   */
  other(body?: BodyStart, refused?: ConnectError): void;
  /** Its answer could not be written. */
  failed(error: unknown): void;
}

/** Answers a call, or hands it on. */
export type UnaryWay = (call: Http2Call, request: PreparedRequest, followUp: UnaryFollowUp) => void;

const CONTENT_TYPES: ReadonlySet<string | null> = new Set(["application/grpc", contentTypeProto]);
const ENCODINGS: ReadonlySet<string | null> = new Set([null, "identity"]);

/**
 * Makes the short way of one method.
 *
 * @param options those of Connect's handler of the same method, complete. A request gate and a signal for shutdown are none
 *   that it knows.
 * @param gate of the method's messages; those that don't pass go to Connect's handler, which finds the same and has the words
 * @param limitMs a call that brings no deadline ends after this; absent: never
 */
export function createUnaryWay(
  spec: UnarySpec,
  options: UniversalHandlerOptions,
  gate: MessageGate,
  { budget }: Receiving,
  limitMs?: number,
): UnaryWay {
  const { method } = spec;
  const serialization = createMethodSerializationLookup(
    method,
    options.binaryOptions,
    options.jsonOptions,
    options,
  );
  const input = serialization.getI(true);
  const output = serialization.getO(true);

  return function answerUnary(call, request, followUp) {
    const { header } = request;
    const timeout = parseTimeout(header.get(headerTimeout), options.maxTimeoutMs);
    const isPlain = call.headers[":method"] === "POST" && timeout.error === undefined &&
      CONTENT_TYPES.has(header.get(headerContentType)) && ENCODINGS.has(header.get(headerEncoding));
    if (!isPlain) return followUp.other();
    const { stream } = call;
    let share: MessageShare | undefined;
    const shared = () => {
      if (share !== undefined) return share;
      const begun = budget.begin(call.address, () => other(stopReading(), budgetSpent()));
      stream.once("close", () => begun.end());
      return share = begun;
    };
    let received = 0;
    const stopReading = readSingleMessage(stream, gate.bytesMax, (length) => {
      received += length;
      // Most calls are small, and never ask for a share.
      return received <= FREE_BYTES || shared().receive(share === undefined ? received : length);
    }, (bytes, body) => {
      if (bytes.length > LARGE_BYTES) return other(body);
      let message;
      try {
        const { becomes } = gate.check(bytes, "binary");
        if (becomes > FREE_BYTES && !shared().keep(becomes)) return other(body, budgetSpent());
        message = input.parse(bytes);
      } catch {
        // Connect's handler finds the same, and has the answer to it.
        return other(body);
      }
      answer(call, request, message, deadline).catch(followUp.failed).finally(() => share?.end());
    }, other);
    const deadline = timeout.timeoutMs === undefined ? undefined : new CallDeadline(timeout.timeoutMs, () => {
      stopReading();
      share?.end();
      const { responseHeader, responseTrailer } = responseFields(header);
      setTrailerStatus(responseTrailer, deadlinePassed());
      write(call, responseHeader, undefined, responseTrailer);
    });
    if (deadline !== undefined) stream.once("close", () => deadline.stop());

    function other(body: BodyStart, refused?: ConnectError): void {
      share?.end();
      deadline?.stop();
      // It began with the header, and goes on from there.
      if (deadline !== undefined) header.set(headerTimeout, grpcTimeout(deadline.remainingMs));
      followUp.other(body, refused);
    }
  };

  function responseFields(header: Headers) {
    const responseHeader = new Headers({ [headerContentType]: contentTypeProto });
    const responseTrailer = new Headers({ [headerGrpcStatus]: grpcStatusOk });
    const accepted = header.get(headerAcceptEncoding);
    const compression = accepted === null
      ? null
      : compressionNegotiate(options.acceptCompression, null, accepted, headerAcceptEncoding).response;
    if (compression !== null) responseHeader.set(headerEncoding, compression.name);
    return { responseHeader, responseTrailer, compression };
  }

  async function answer(
    call: Http2Call,
    { url, header }: PreparedRequest,
    message: ReturnType<typeof input.parse>,
    deadline: CallDeadline | undefined,
  ): Promise<void> {
    const { stream } = call;
    const controller = new AbortController();
    const leave = () => controller.abort(closeReason(stream.rstCode));
    stream.once("close", leave);
    const stopTimer = startTimer(controller, deadline, limitMs);
    const { responseHeader, responseTrailer, compression } = responseFields(header);
    const values = callerValues(call.address);
    const context: HandlerContext = {
      method,
      service: method.parent,
      protocolName: "grpc",
      requestMethod: "POST",
      url,
      signal: controller.signal,
      timeoutMs: () => deadline?.remainingMs,
      requestHeader: header,
      responseHeader,
      responseTrailer,
      values: limitMs === undefined ? values : setCallBound(values),
    };
    let body: Uint8Array | undefined;
    try {
      const data = output.serialize(await invokeUnaryImplementation(spec, context, message, options.interceptors));
      const { flags, data: packed } = compression === null
        ? { flags: 0, data }
        : await envelopeCompress({ flags: 0, data }, compression, options.compressMinBytes);
      body = encodeEnvelope(flags, packed);
      controller.abort(CALL_OVER);
    } catch (error) {
      controller.abort(error);
      const status = error instanceof ConnectError
        ? error
        : new ConnectError("internal error", Code.Internal, undefined, undefined, error);
      // As Connect's handler has it, who throws undefined has thrown nothing.
      if (error !== undefined) setTrailerStatus(responseTrailer, status);
    } finally {
      stopTimer();
      stream.off("close", leave);
    }
    write(call, responseHeader, body, responseTrailer);
  }
}

function write(
  call: Http2Call,
  header: Headers,
  body: Uint8Array | undefined,
  trailer: Headers,
): void {
  const { stream, answerHeaders } = call;
  if (stream.closed || stream.destroyed) return;
  if (body !== undefined && !call.handOver(body.length)) return;
  const fields = addFields({ ...answerHeaders, ":status": 200 }, header);
  const trailers = boundTrailers(addFields({}, trailer));
  call.batchWrites();
  stream.respond(fields, { waitForTrailers: true });
  sendTrailersOnceWanted(stream, () => trailers);
  closeOnceAnswered(stream, true);
  if (body === undefined) stream.end();
  else stream.end(body);
}

/** Aborts at the deadline that the call brought, else at the server's limit. Returns what stops that. */
function startTimer(
  controller: AbortController,
  deadline: CallDeadline | undefined,
  limitMs: number | undefined,
): () => void {
  if (deadline !== undefined) {
    deadline.handOver(() => controller.abort(deadlinePassed()));
    return () => deadline.stop();
  }
  const timer = limitMs === undefined ? undefined : setTimeout(() => controller.abort(limitPassed(limitMs)), limitMs);
  return () => clearTimeout(timer);
}
