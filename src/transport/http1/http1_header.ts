/**
 * What RFC 9112 forbids in the header of an HTTP/1.1 request and node:http lets pass.
 */

/** What no host with a port may have: it would be read as a path, a query, user information or a fragment. */
const NOT_OF_A_HOST = /[/?#@\\\s]/;

/**
 * The status to answer a header with, given as names and values by turns; undefined where nothing is wrong.
 *
 * 400: two Host fields, or one that is no host (section 3.2). 417: an expectation beside 100-continue (RFC 9110, section 10.1.1).
 * 501: a transfer coding beside chunked (section 6.1), whose body node:http would hand over as it came.
 */
export function http1Refusal(raw: readonly string[]): 400 | 417 | 501 | undefined {
  let hosts = 0;
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]!.toLowerCase();
    const value = raw[i + 1]!;
    if (name === "host" && (++hosts > 1 || NOT_OF_A_HOST.test(value.trim()))) return 400;
    if (name === "expect" && value.trim().toLowerCase() !== "100-continue") return 417;
    if (name === "transfer-encoding" && value.trim().toLowerCase() !== "chunked") return 501;
  }
}
