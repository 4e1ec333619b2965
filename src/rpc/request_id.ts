/**
 * The id of a request: the caller's, or one made here, on every answer, whatever becomes of the request. Around
 * everything else, so that a request that can't even be decoded has one too.
 */
import type { IncomingHttpHeaders } from "node:http";
import type { WireHandler } from "./http_handler.ts";

/** Header that carries the id, both ways. */
export const REQUEST_ID_HEADER = "x-request-id";
const REQUEST_ID_PATTERN = /^[A-Za-z0-9._:-]{1,64}$/;

/** Gives every request an id, `newId` where the caller sent none that can be used, and answers it. */
export function withRequestId(handler: WireHandler, newId: () => string): WireHandler {
  return {
    http1(request, response) {
      response.setHeader(REQUEST_ID_HEADER, identified(request.headers));
      handler.http1(request, response);
    },
    http2(call) {
      call.answerHeaders[REQUEST_ID_HEADER] = identified(call.headers);
      handler.http2(call);
    },
  };

  function identified(headers: IncomingHttpHeaders): string {
    const given = headers[REQUEST_ID_HEADER];
    const id = typeof given === "string" && REQUEST_ID_PATTERN.test(given) ? given : newId();
    headers[REQUEST_ID_HEADER] = id;
    return id;
  }
}
