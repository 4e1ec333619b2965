/**
 * The id of a request: the caller's, or one made here, on every answer, whatever becomes of the request. It is given before
 * anything else is made of the request, so that one that is refused has it too. Only what could not be read as a request at
 * all, and so has neither header nor log line of its own, is answered without.
 */
import type { IncomingHttpHeaders } from "node:http";

/** Header that carries the id, both ways. */
export const REQUEST_ID_HEADER = "x-request-id";
const REQUEST_ID_PATTERN = /^[A-Za-z0-9._:-]{1,64}$/;

/** The id of the request with this header, which has it from then on: `newId` where the caller sent none that can be used. */
export function identifyRequest(headers: IncomingHttpHeaders, newId: () => string): string {
  const given = headers[REQUEST_ID_HEADER];
  const id = typeof given === "string" && REQUEST_ID_PATTERN.test(given) ? given : newId();
  headers[REQUEST_ID_HEADER] = id;
  return id;
}
