/**
 * The id of a request: the caller's, or one made here, on every answer, whatever becomes of the request. Around
 * everything else, so that a request that can't even be decoded has one too.
 */
import type { Handler } from "./http_handler.ts";

/** Header that carries the id, both ways. */
export const REQUEST_ID_HEADER = "x-request-id";
const REQUEST_ID_PATTERN = /^[A-Za-z0-9._:-]{1,64}$/;

/** Gives every request an id, `newId` where the caller sent none that can be used, and answers it. */
export function withRequestId(handler: Handler, newId: () => string): Handler {
  return (request, response) => {
    const given = request.headers[REQUEST_ID_HEADER];
    const id = typeof given === "string" && REQUEST_ID_PATTERN.test(given) ? given : newId();
    request.headers[REQUEST_ID_HEADER] = id;
    response.setHeader(REQUEST_ID_HEADER, id);
    handler(request, response);
  };
}
