/**
 * A reason for what Connect's handlers answer by a bare HTTP status: who posts a form, or asks by a method that calls
 * don't have, gets what was expected.
 */
import type { UniversalHandlerFn, UniversalServerResponse } from "@connectrpc/connect/protocol";

const ENCODER = new TextEncoder();
/** Of a content type, in the answer. */
const TYPE_CHARACTERS_MAX = 100;
const UNARY_TYPES = "application/json or application/proto (Connect)";
/** Connect has types of its own for streams, so that the one of a unary call is none here. */
const STREAM_TYPES = "application/connect+json or application/connect+proto (Connect streams)";
const OTHER_TYPES = "application/grpc (HTTP/2), application/grpc-web or application/grpc-web-text";

/** The handler with its bare refusals in words. `methods`: those that it takes. */
export function explained(
  handler: UniversalHandlerFn,
  methods: readonly string[],
  isStream: boolean,
): UniversalHandlerFn {
  const types = `${isStream ? STREAM_TYPES : UNARY_TYPES}, ${OTHER_TYPES}`;
  return async (request) => {
    const answer = await handler(request);
    if (answer.body !== undefined || request.method === "HEAD") return answer;
    switch (answer.status) {
      case 405:
        return inWords(answer, `expected ${methods.join(" or ")}, got ${request.method}`, {
          allow: methods.join(", "),
        });
      case 415: {
        const type = request.header.get("content-type");
        return inWords(answer, `expected content-type ${types}, got ${type?.slice(0, TYPE_CHARACTERS_MAX) ?? "none"}`);
      }
      case 505:
        return inWords(answer, `expected HTTP/2 for a stream in both directions, got HTTP/${request.httpVersion}`);
      default:
        return answer;
    }
  };
}

function inWords(
  answer: UniversalServerResponse,
  text: string,
  fields: Readonly<Record<string, string>> = {},
): UniversalServerResponse {
  const header = new Headers(answer.header);
  header.set("content-type", "text/plain; charset=utf-8");
  for (const name in fields) header.set(name, fields[name]!);
  return { ...answer, header, body: once(ENCODER.encode(`${text}\n`)) };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
