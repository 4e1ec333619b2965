/**
 * Any call over HTTP/2, by Connect's own handlers: what connect-node does for a request and a response of node:http,
 * done for the stream itself.
 */
import type { ContextValues } from "@connectrpc/connect";
import type { UniversalHandlerFn, UniversalServerResponse } from "@connectrpc/connect/protocol";
import http2, { type ServerHttp2Stream } from "node:http2";
import { addFields, sendTrailersOnceWanted } from "../../transport/http2/headers.ts";
import type { Http2Call } from "../../transport/exchange.ts";
import { boundTrailers, errorAlone } from "../trailer_budget.ts";
import { answersUnread, CALL_OVER, callerGone, closeReason, streamClosed } from "../errors.ts";
import type { ReceivedRequest } from "../messages/received_body.ts";
import { closeOnceAnswered } from "../../transport/http2/egress.ts";

/** What of a request is the same for whatever answers it. */
export interface PreparedRequest {
  readonly url: string;
  readonly header: Headers;
  /** For its handler. */
  readonly values: ContextValues;
  /** Whether its answer is of many messages, each of which waits until those before it have left for the peer. */
  readonly isStream: boolean;
}

/** Makes of the chunks of a body, of its header, and of the call's values, the request that Connect's handler gets. */
export type Receive = (
  chunks: AsyncIterable<Uint8Array>,
  header: Headers,
  values: ContextValues,
) => ReceivedRequest;

/** The bytes of a body that were read already, taken out as they are read on, and whether they were the last. */
export interface BodyStart {
  readonly chunks: Uint8Array[];
  readonly ended: boolean;
}

/**
 * Answers a call. Resolves when the answer is written, taken by the peer or not.
 *
 * @throws whatever keeps the answer from being written; mostly that the stream is gone
 */
export async function answerUniversally(
  handler: UniversalHandlerFn,
  call: Http2Call,
  { url, header: given, values, isStream }: PreparedRequest,
  receive: Receive,
  start: BodyStart = { chunks: [], ended: false },
): Promise<void> {
  const { stream } = call;
  const controller = new AbortController();
  if (stream.closed || stream.destroyed) controller.abort(closeReason(stream.rstCode));
  else stream.once("close", () => controller.abort(closeReason(stream.rstCode)));
  const { header, body, end } = receive(bodyOf(stream, start), given, values);
  try {
    const response = await handler({
      httpVersion: "2.0",
      method: call.headers[":method"] ?? "",
      url,
      header,
      body,
      signal: controller.signal,
      contextValues: values,
    });
    await send(call, response, isStream);
  } finally {
    end();
  }
}

async function* bodyOf(stream: ServerHttp2Stream, { chunks, ended }: BodyStart): AsyncGenerator<Uint8Array> {
  for (let chunk = chunks.shift(); chunk !== undefined; chunk = chunks.shift()) yield chunk;
  if (ended) return;
  try {
    // Who reads no further still answers, on the same stream.
    for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
      // What still comes of a stream that has closed is nobody's any more.
      mustBeOpen(stream);
      yield chunk;
    }
  } catch (error) {
    const reason = closeReason(stream.rstCode);
    throw reason === CALL_OVER ? callerGone(error) : reason;
  }
}

async function send(call: Http2Call, response: UniversalServerResponse, isStream: boolean): Promise<void> {
  const { stream, answerHeaders } = call;
  const { status, header, body, trailer } = response;
  const messages = body?.[Symbol.asyncIterator]();
  try {
    // Its header is complete only when the first message, or the end, has come.
    let message = await messages?.next();
    mustBeOpen(stream);
    const fields = { ...answerHeaders, ":status": status };
    if (header !== undefined) addFields(fields, header);
    const isEmpty = message === undefined || message.done === true;
    const alone = isEmpty && trailer !== undefined
      ? errorAlone(fields, boundTrailers(addFields({}, trailer)))
      : undefined;
    call.cork();
    if (alone !== undefined) {
      closeOnceAnswered(stream, false);
      stream.respond(alone, { endStream: true });
      return;
    }
    stream.respond(fields, { waitForTrailers: trailer !== undefined });
    if (trailer !== undefined) sendTrailersOnceWanted(stream, () => boundTrailers(addFields({}, trailer)));
    for (; message !== undefined && !message.done; message = await messages!.next()) {
      mustBeOpen(stream);
      if (!call.handOver(message.value.length)) throw answersUnread();
      call.cork();
      if (!stream.write(message.value)) await untilDrained(stream);
      if (isStream) await untilLetOut(call);
    }
    call.cork();
    closeOnceAnswered(stream, trailer !== undefined);
    stream.end();
  } catch (error) {
    // The handler gets it too, where it is still at work. Not waited for: it may never come to its end.
    messages?.throw?.(error).catch(ignore);
    throw error;
  } finally {
    messages?.return?.().catch(ignore);
  }
}

/** Until then nothing more is asked of the handler, which so learns that its peer is slow. */
async function untilLetOut(call: Http2Call): Promise<void> {
  const letOut = call.letOut();
  if (letOut === undefined || await letOut) return;
  throw call.stream.rstCode === http2.constants.NGHTTP2_ENHANCE_YOUR_CALM ? answersUnread() : streamClosed();
}

/** What a handler says to its answer going nowhere, goes nowhere. */
function ignore(): void {}

function mustBeOpen(stream: ServerHttp2Stream): void {
  if (stream.closed || stream.destroyed) throw streamClosed();
}

/** Ends with the stream, whose time to take an answer the listener bounds. */
function untilDrained(stream: ServerHttp2Stream): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      stream.off("drain", end).off("close", end);
      resolve();
    };
    stream.once("drain", end).once("close", end);
  });
}
