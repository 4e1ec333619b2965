/**
 * The fast path of a unary gRPC call over HTTP/2: one message in, one message out, one write for header and message and
 * one for the trailers, or one for an error. It says what Connect's handler says, to the byte, without its chain of
 * generators; whatever is not plain goes to that handler.
 */
import { ConnectError } from "@connectrpc/connect";
import {
  compressionNegotiate,
  createMethodSerializationLookup,
  envelopeCompress,
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
import { invariant } from "../base/invariant.ts";
import type { Http2Call } from "../transport/exchange.ts";
import { closeOnceAnswered } from "../transport/http2/egress.ts";
import { addFields, LazyHeaders, sendTrailersOnceWanted } from "../transport/http2/headers.ts";
import { CallEnd, CallTime, grpcTimeout, setCallEnd, SharedLimit } from "./deadline.ts";
import { budgetSpent, CALL_OVER, closeReason, deadlinePassed, internalError } from "./errors.ts";
import { FREE_BYTES, type MessageBudget, type MessageShare } from "./messages/budget.ts";
import type { MessageCheck } from "./messages/check.ts";
import { envelopedBuffer, messageIn, SingleMessage } from "./messages/envelopes.ts";
import { LARGE_BYTES } from "./messages/turns.ts";
import { type SeenCall, seenCall } from "./seen_call.ts";
import { boundTrailers, errorAlone } from "./trailer_budget.ts";
import { createUnaryHandler, type HandledCall, type UnaryHandler, type UnarySpec } from "./unary_handler.ts";
import type { BodyStart, PreparedRequest } from "./universal/http2.ts";

/** What becomes of a call that was given to the fast path, beside its answer. */
export interface UnaryFollowUp {
  /**
   * It is not plain: Connect's handler must answer it, with what was read of its body; with `refused`, whatever that
   * is. Called at most once.
   */
  other(body?: BodyStart, refused?: ConnectError): void;
  /** Its answer could not be written. */
  failed(error: unknown): void;
}

/** Answers the calls of one method, or hands them on. */
export type UnaryPath = (call: Http2Call, request: PreparedRequest, followUp: UnaryFollowUp) => void;

/** What the fast path of a method is made of. */
export interface UnaryMethod {
  readonly spec: UnarySpec;
  /**
   * Those of Connect's handler of the same method, complete. A `requestGate` and a signal for shutdown are not heeded.
   */
  readonly options: UniversalHandlerOptions;
  /** Of its messages; those that don't pass go to Connect's handler, which finds the same and has the words. */
  readonly check: MessageCheck;
  readonly budget: MessageBudget;
  /** A call that brings no deadline ends after this; absent: never. */
  readonly limitMs: number | undefined;
}

type Serialization = ReturnType<typeof createMethodSerializationLookup>;

/** What is made of it once. */
interface Made {
  readonly serialization: Serialization;
  readonly handler: UnaryHandler;
  readonly limit: SharedLimit | undefined;
}

const CONTENT_TYPES: ReadonlySet<string | null> = new Set(["application/grpc", contentTypeProto]);
const ENCODINGS: ReadonlySet<string | null> = new Set([null, "identity"]);
/** What an answer has at first, and most answers have in the end. */
const HEADER = { [headerContentType]: contentTypeProto };
const TRAILERS = { [headerGrpcStatus]: grpcStatusOk };

/** Makes the fast path of one method. */
export function createUnaryPath(method: UnaryMethod): UnaryPath {
  const { spec, options } = method;
  const { binaryOptions, jsonOptions } = options;
  const serialization = createMethodSerializationLookup(spec.method, binaryOptions, jsonOptions, options);
  const made: Made = {
    serialization,
    handler: createUnaryHandler(spec, options.interceptors),
    limit: method.limitMs === undefined ? undefined : new SharedLimit(method.limitMs),
  };
  return (call, request, followUp) => {
    const { header } = request;
    const { timeoutMs, error } = parseTimeout(header.get(headerTimeout), options.maxTimeoutMs);
    const isPlain = call.headers[":method"] === "POST" && error === undefined &&
      CONTENT_TYPES.has(header.get(headerContentType)) && ENCODINGS.has(header.get(headerEncoding));
    const asked = { call, request, followUp, seen: seenCall(request.values) };
    if (isPlain) new UnaryCall(method, made, asked, timeoutMs).receive();
    else followUp.other();
  };
}

/** How a call is asked and answered, as long as its stream is open. */
interface Asked {
  readonly call: Http2Call;
  readonly request: PreparedRequest;
  readonly followUp: UnaryFollowUp;
  readonly seen: SeenCall | undefined;
}

/**
 * One call.
 *
 *     receiving -> handed on   its body is not one plain small message, or is more than the budget allows
 *     receiving -> late        its deadline has passed: it is answered that
 *     receiving -> answering   its message is complete, and has been read
 *     answering -> answered    with what its handler came to, at the latest when its signal aborts
 *     any       -> gone        its stream has closed: nothing more is written
 */
class UnaryCall {
  readonly #body: SingleMessage;
  readonly #time: CallTime;
  #received = 0;
  #share: MessageShare | undefined;
  #asked: Asked | undefined;

  constructor(private readonly method: UnaryMethod, private readonly made: Made, asked: Asked, timeoutMs?: number) {
    this.#asked = asked;
    this.#body = new SingleMessage(method.check.bytesMax);
    this.#time = new CallTime(timeoutMs, () => this.#answerLate());
    // The stream, and this, may be kept for long (`base/roll.ts`). Whoever is still at work has its own.
    asked.call.onceClosed(() => {
      this.#time.stop();
      this.#asked = undefined;
    });
  }

  get #open(): Asked {
    invariant(this.#asked !== undefined, "a call went on whose stream has closed");
    return this.#asked;
  }

  /** Reads the body; what it comes to is decided at its end, or at the first byte that makes it none for this path. */
  receive(): void {
    this.#open.call.stream.on("data", this.#add).on("end", this.#complete);
  }

  readonly #add = (chunk: Uint8Array): void => {
    const isPlain = this.#body.add(chunk);
    if (!this.#charge(chunk.length) || !isPlain) this.#handOn(this.#stopReading());
  };

  readonly #complete = (): void => {
    const isComplete = this.#body.isComplete;
    const bytes = this.#body.take();
    const body = { chunks: [bytes], ended: true };
    if (!isComplete) return this.#handOn(body);
    const message = messageIn(bytes);
    if (message.length > LARGE_BYTES) return this.#handOn(body);
    let input;
    try {
      const { becomes } = this.method.check.check(message, "binary");
      if (becomes > FREE_BYTES && !this.#shared().keep(becomes)) return this.#handOn(body, budgetSpent());
      input = this.made.serialization.getI(true).parse(message);
    } catch {
      // Connect's handler finds the same, and has the answer to it.
      return this.#handOn(body);
    }
    const { followUp, seen } = this.#open;
    const within = seen?.within;
    const answered = within === undefined ? this.#answer(input) : within(() => this.#answer(input));
    answered.catch(followUp.failed).then(() => this.#share?.end());
  };

  #stopReading(): BodyStart {
    this.#open.call.stream.off("data", this.#add).off("end", this.#complete).pause();
    return { chunks: [this.#body.take()], ended: false };
  }

  /** Counts what has come; most calls never ask for a share. False: it is more than the budget allows. */
  #charge(bytes: number): boolean {
    this.#received += bytes;
    if (this.#received <= FREE_BYTES) return true;
    if (this.#share !== undefined) return this.#share.receive(bytes);
    return this.#shared().receive(this.#received);
  }

  #shared(): MessageShare {
    if (this.#share !== undefined) return this.#share;
    const { call } = this.#open;
    const share = this.method.budget.begin(call.address, () => this.#handOn(this.#stopReading(), budgetSpent()));
    call.onceClosed(() => share.end());
    return this.#share = share;
  }

  #handOn(body: BodyStart, refused?: ConnectError): void {
    this.#share?.end();
    this.#time.stop();
    // It began with the header, and goes on from there.
    const { remainingMs } = this.#time;
    const { request, followUp } = this.#open;
    if (remainingMs !== undefined) request.header.set(headerTimeout, grpcTimeout(remainingMs));
    followUp.other(body, refused);
  }

  #answerLate(): void {
    this.#stopReading();
    this.#share?.end();
    const { responseHeader, responseTrailer } = this.#responseFields();
    const late = deadlinePassed();
    setTrailerStatus(responseTrailer, late);
    const { call, seen } = this.#open;
    seen?.end(late);
    write(call, responseHeader, undefined, responseTrailer);
  }

  #responseFields() {
    const { options } = this.method;
    const responseHeader = new LazyHeaders(HEADER);
    const responseTrailer = new LazyHeaders(TRAILERS);
    const accepted = this.#open.request.header.get(headerAcceptEncoding);
    const compression = accepted === null
      ? null
      : compressionNegotiate(options.acceptCompression, null, accepted, headerAcceptEncoding).response;
    if (compression !== null) responseHeader.set(headerEncoding, compression.name);
    return { responseHeader, responseTrailer, compression };
  }

  async #answer(input: ReturnType<ReturnType<Serialization["getI"]>["parse"]>): Promise<void> {
    const { spec: { method }, options } = this.method;
    const { limit } = this.made;
    const { call: answered, request: { url, header, values }, seen } = this.#open;
    const end = new CallEnd();
    const contextValues = limit === undefined ? values : setCallEnd(values, end);
    // Once it is answered, it has ended.
    answered.onceClosed(() => end.end(closeReason(answered.stream.rstCode)));
    this.#time.answer((reason) => end.end(reason), limit);
    const { responseHeader, responseTrailer, compression } = this.#responseFields();
    const call: HandledCall = {
      stream: false,
      method,
      service: method.parent,
      protocolName: "grpc",
      requestMethod: "POST",
      url,
      message: input,
      header,
      requestHeader: header,
      contextValues,
      values: contextValues,
      signal: end.signal,
      timeoutMs: () => this.#time.remainingMs,
      responseHeader,
      responseTrailer,
    };
    let body: Uint8Array | undefined;
    let failure: ConnectError | undefined;
    try {
      const data = this.made.serialization.getO(true).serialize(await this.made.handler(call));
      const { flags, data: packed } = compression === null
        ? { flags: 0, data }
        : await envelopeCompress({ flags: 0, data }, compression, options.compressMinBytes);
      body = envelopedBuffer(flags, packed);
      end.end(CALL_OVER);
    } catch (error) {
      end.end(error);
      // As Connect's handler has it, who throws undefined has thrown nothing.
      if (error !== undefined) {
        failure = error instanceof ConnectError ? error : internalError(error);
        setTrailerStatus(responseTrailer, failure);
      }
    } finally {
      this.#time.stop();
    }
    seen?.end(failure);
    write(answered, responseHeader, body, responseTrailer);
  }
}

function write(call: Http2Call, header: LazyHeaders, body: Uint8Array | undefined, trailer: LazyHeaders): void {
  const { stream, answerHeaders } = call;
  if (stream.closed || stream.destroyed) return;
  if (body !== undefined && !call.handOver(body.length)) return;
  const fields = header.unchanged === undefined
    ? addFields({ ...answerHeaders, ":status": 200 }, header)
    : { ...answerHeaders, ":status": 200, ...header.unchanged };
  const trailers = trailer.unchanged ?? boundTrailers(addFields({}, trailer));
  call.cork();
  const alone = body === undefined ? errorAlone(fields, trailers) : undefined;
  if (alone !== undefined) {
    closeOnceAnswered(stream, false);
    return stream.respond(alone, { endStream: true });
  }
  stream.respond(fields, { waitForTrailers: true });
  sendTrailersOnceWanted(stream, () => trailers);
  closeOnceAnswered(stream, true);
  if (body === undefined) stream.end();
  else stream.end(body);
}
