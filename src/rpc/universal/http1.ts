/**
 * Any call over HTTP/1, by Connect's own handlers: what connect-node's adapter does, but with the body received by us.
 */
import { Code, ConnectError, type ContextValues } from "@connectrpc/connect";
import { universalRequestFromNodeRequest, universalResponseToNodeResponse } from "@connectrpc/connect-node";
import {
  assertByteStreamRequest,
  type UniversalHandlerFn,
  type UniversalServerResponse,
} from "@connectrpc/connect/protocol";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http1Asked, Http1Call } from "../../transport/exchange.ts";
import { answersUnread, callerGone, streamClosed } from "../errors.ts";
import type { Receive } from "./http2.ts";

/** Stands in the URL of a call that names no host. Nothing is decided by it. */
const HOST_OF_NONE = "localhost";

/** Of an answer of many messages: how long its peer may read nothing of one. */
export interface Streamed {
  readonly unreadMs: number;
}

/**
 * Answers a call. Throws at once where no URL can be made of its host and path.
 *
 * @param receive makes the body that the handler gets
 * @param values of the call, for its handler
 * @param failed called with why the answer could not be written, unless that is that the peer has gone
 * @param streamed absent where the answer is one message
 */
export function answerHttp1(
  handler: UniversalHandlerFn,
  [request, response, call]: Http1Asked,
  receive: Receive,
  values: ContextValues,
  failed: (error: unknown) => void,
  streamed?: Streamed,
): void {
  // HTTP/1.0 has none, and some proxies still speak it; who sends none in HTTP/1.1 is refused for it.
  if (request.httpVersion === "1.0") request.headers.host ??= HOST_OF_NONE;
  const asked = universalRequestFromNodeRequest(request, response, undefined, values);
  assertByteStreamRequest(asked);
  const { header, body, end } = receive(bodyOf(request), asked.header, values);
  handler({ ...asked, header, body })
    .finally(end)
    .then((answer) => {
      const sent = counted(answer, response, call);
      return universalResponseToNodeResponse(streamed ? taken(sent, response, streamed) : sent, response);
    })
    .catch((error) => {
      if (!isGone(response) && ConnectError.from(error).code !== Code.Aborted) failed(error);
    });
}

/**
 * The body as it comes. Who reads no further leaves the request whole: what is left of it is read off, or the next one
 * on its connection would never be seen. Who goes in the middle of it has given up, as over HTTP/2; node:http's own
 * error would count as a fault of the service.
 */
async function* bodyOf(request: IncomingMessage): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of request.iterator({ destroyOnReturn: false })) yield chunk;
  } catch (error) {
    throw callerGone(error);
  } finally {
    // Who was answered while more was waited for was asked to read the rest off before, and could not.
    request.resume();
  }
}

/**
 * The answer, each of whose messages is counted before it is written, until the system has taken it. Its body ends with
 * the connection, as connect-node's adapter waits without an end for a peer that has gone while it did not read.
 */
function counted(answer: UniversalServerResponse, response: ServerResponse, call: Http1Call): UniversalServerResponse {
  const source = answer.body?.[Symbol.asyncIterator]();
  if (source === undefined) return answer;
  let isWriting = false;
  const next = async () => {
    isWriting = false;
    // Whoever asks for the next one has written those before.
    call.countTaken();
    const message = await source.next();
    if (message.done === true) return message;
    const hasGone = isGone(response);
    if (!hasGone && call.handOver(message.value.length)) {
      isWriting = true;
      return message;
    }
    source.throw?.(hasGone ? callerGone() : answersUnread()).catch(ignore);
    throw streamClosed();
  };
  const leave = async (value?: unknown) => {
    source.return?.().catch(ignore);
    return await Promise.resolve({ done: true as const, value });
  };
  // Before a message is there its handler hears of it, and says how the call has ended.
  response.once("close", () => isWriting && source.return?.().catch(ignore));
  // What the system says of a write to a peer that has gone has many names, and none of them is a fault of ours.
  const failed = source.throw && ((error: unknown) => source.throw!(isGone(response) ? callerGone(error) : error));
  const iterator = { next, return: leave, ...(failed === undefined ? {} : { throw: failed }) };
  return { ...answer, body: { [Symbol.asyncIterator]: () => iterator } };
}

/**
 * The answer, whose messages node:http asks for one by one, each when the system has taken those before. A peer that
 * reads nothing of one for too long is cut; and with its connection the handler ends, as connect-node's adapter waits
 * for such a peer without an end.
 */
function taken(
  answer: UniversalServerResponse,
  response: ServerResponse,
  { unreadMs }: Streamed,
): UniversalServerResponse {
  const source = answer.body?.[Symbol.asyncIterator]();
  if (source === undefined) return answer;
  let timer: ReturnType<typeof setInterval> | undefined;
  const end = () => {
    clearInterval(timer);
    source.return?.().catch(ignore);
  };
  if (response.destroyed) end();
  else response.once("close", end);
  const watch = () => {
    let before = takenBytes(response);
    timer = setInterval(() => {
      const now = takenBytes(response);
      if (now === before) response.destroy();
      before = now;
    }, unreadMs);
  };
  const next = async () => {
    clearInterval(timer);
    const message = await source.next();
    if (message.done !== true && !response.destroyed) watch();
    return message;
  };
  const body = { [Symbol.asyncIterator]: () => ({ next, return: (value?: unknown) => leave(value) }) };
  const leave = async (value: unknown) => {
    end();
    return await Promise.resolve({ done: true as const, value });
  };
  return { ...answer, body };
}

/** Whether the connection of an answer has closed before its end. */
function isGone({ req, destroyed }: ServerResponse): boolean {
  return destroyed || req.socket.destroyed;
}

/** Bytes that the system has taken of the connection. */
function takenBytes({ socket }: ServerResponse): number {
  return socket === null ? 0 : socket.bytesWritten - socket.writableLength;
}

/** What a handler says to its answer going nowhere, goes nowhere. */
function ignore(): void {}
