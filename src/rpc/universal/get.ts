/**
 * Calls of Connect by HTTP GET: what stands in the query of the URL becomes the body of a POST, so that it is received,
 * bounded, unpacked and checked as every other message, and is answered by the same handler. Only methods without side
 * effects may be called like that.
 *
 * A browser sends no `Origin` with a GET to the host that a page came from, so that which name the host has is all that
 * there is to look at: see `own_names.ts`.
 */
import type { ConnectError } from "@connectrpc/connect";
import type { UniversalHandlerFn } from "@connectrpc/connect/protocol";
import { base64Decode } from "@bufbuild/protobuf/wire";
import type { IncomingHttpHeaders } from "node:http2";
import { notOurName, unreadableMessage, Violations } from "../errors.ts";
import type { Receive } from "./http2.ts";

/** The parameters that say what is asked (the Connect protocol, "Unary-Get-Request"). */
const PARAMETERS: readonly string[] = ["connect", "encoding", "message", "base64", "compression"];
const ENCODINGS: readonly (string | null)[] = ["json", "proto"];
/** Of what a parameter says, in an error. */
const SAID_CHARACTERS_MAX = 100;

const ENCODER = new TextEncoder();

/** What the URL's query says, of a path with one or without. */
export function parametersOf(path: string): URLSearchParams {
  const at = path.indexOf("?");
  return new URLSearchParams(at === -1 ? "" : path.slice(at + 1));
}

/** Whether it is written as a call by GET, to whatever path. */
export function isCallByGet(method: string, path: string): boolean {
  return method === "GET" && parametersOf(path).has("encoding");
}

/** What is wrong with the host of a call by GET; undefined where nothing is, or nobody says which hosts are our own. */
export function faultOfHost(
  headers: IncomingHttpHeaders,
  isOwnHost: ((host: string | undefined) => boolean) | undefined,
): ConnectError | undefined {
  const host = headers[":authority"] || headers.host;
  return isOwnHost?.(host) === false ? notOurName(host ?? "") : undefined;
}

/** What is wrong with the parameters; undefined where nothing is. */
export function faultOf(parameters: URLSearchParams): ConnectError | undefined {
  const violations = new Violations();
  for (const name of PARAMETERS) {
    const { length } = parameters.getAll(name);
    if (length > 1) violations.add(name, `expected once in the URL, it is there ${length} times`);
  }
  const encoding = parameters.get("encoding");
  if (!ENCODINGS.includes(encoding)) {
    const said = encoding?.slice(0, SAID_CHARACTERS_MAX) ?? "none";
    violations.add("encoding", `expected json or proto in the URL, got ${said}`);
  }
  return violations.error();
}

/** Handler and body of a call with these parameters, by those of a POST. */
export function answerGet(
  handler: UniversalHandlerFn,
  receive: Receive,
  parameters: URLSearchParams,
): { readonly handler: UniversalHandlerFn; readonly receive: Receive } {
  return {
    async handler(request) {
      const answer = await handler({ ...request, method: "POST" });
      const header = new Headers(answer.header);
      // Stock is as it was at that moment: nobody is to show it later.
      header.set("cache-control", "no-store");
      return { ...answer, header };
    },
    receive: (_, header, values) => receive(bodyOf(parameters), headerOf(header, parameters), values),
  };
}

function headerOf(given: Headers, parameters: URLSearchParams): Headers {
  const header = new Headers(given);
  for (const name of ["content-length", "content-encoding"]) header.delete(name);
  header.set("content-type", parameters.get("encoding") === "proto" ? "application/proto" : "application/json");
  const compression = parameters.get("compression");
  if (compression !== null) header.set("content-encoding", compression);
  return header;
}

async function* bodyOf(parameters: URLSearchParams): AsyncGenerator<Uint8Array> {
  const message = parameters.get("message") ?? "";
  yield parameters.get("base64") === "1" ? decoded(message) : ENCODER.encode(message);
}

function decoded(text: string): Uint8Array {
  try {
    return base64Decode(text);
  } catch {
    throw unreadableMessage("it is not base64");
  }
}
