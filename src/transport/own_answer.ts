/**
 * Answers that are given in front of every handler: to a call that reaches none, in the words of its own protocol, so
 * that its client shows a code and a reason; and in plain text to whatever is no call. Knows no service and no path.
 */
import { type Code, ConnectError } from "@connectrpc/connect";
import { encodeEnvelope } from "@connectrpc/connect/protocol";
import { endStreamFlag, endStreamToJson, errorToJsonBytes } from "@connectrpc/connect/protocol-connect";
import { setTrailerStatus as setGrpcTrailerStatus } from "@connectrpc/connect/protocol-grpc";
import { setTrailerStatus, trailerFlag, trailerSerialize } from "@connectrpc/connect/protocol-grpc-web";
import { Buffer } from "node:buffer";
import type { ServerResponse } from "node:http";
import http2 from "node:http2";
import { isJson, protocolOf, textSides } from "./content_types.ts";
import { respellGrpcMessage } from "./http2/headers.ts";
import type { Http2Call } from "./exchange.ts";

/** A whole answer. */
export interface OwnAnswer {
  readonly status: number;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** What of a request its protocol shows in; each as sent. */
export interface AskedIn {
  readonly method: string;
  readonly contentType: string | undefined;
  readonly accept: string | undefined;
}

/** Why a call is refused. */
export type Refusal =
  & {
    /** For those who have no code, and for Connect's calls. */
    readonly status: number;
  }
  & ({
    readonly code: Code;
    /** Short: it may go into a header. */
    readonly message: string;
  } | {
    /** Without metadata, and short, for the same reason. */
    readonly error: ConnectError;
  });

const ENCODER = new TextEncoder();
const NOTHING = new Uint8Array();
/** Read of a request whose answer does not depend on it. */
const UNWANTED_BYTES_MAX = 16 * 1024;
/** Statuses whose answers have no length, as they have no body. */
const BODILESS = new Set([204, 304]);
/** Longest wait for the end of such a request, in ms. */
const UNWANTED_MS_MAX = 1_000;

/** A short text. */
export function textAnswer(status: number, text: string, headers: Readonly<Record<string, string>> = {}): OwnAnswer {
  return { status, headers: { "content-type": "text/plain; charset=utf-8", ...headers }, body: ENCODER.encode(text) };
}

/**
 * The refusal in the words of the request's protocol. But for calls of Connect these have HTTP status 200 for every
 * answer.
 */
export function refuseCall({ method, contentType, accept }: AskedIn, refusal: Refusal): OwnAnswer {
  const { status } = refusal;
  const error = "error" in refusal ? refusal.error : new ConnectError(refusal.message, refusal.code);
  const suffix = isJson(contentType) ? "json" : "proto";
  switch (method === "POST" ? protocolOf(contentType) : undefined) {
    case "grpc":
      // The header is all of it ("Trailers-Only").
      return {
        status: 200,
        headers: {
          "content-type": `application/grpc+${suffix}`,
          ...grpcFields(error),
        },
        body: NOTHING,
      };
    case "grpc-web": {
      const isText = textSides(contentType, accept).answer;
      const trailer = encodeEnvelope(trailerFlag, trailerSerialize(setTrailerStatus(new Headers(), error)));
      return {
        status: 200,
        headers: { "content-type": `application/grpc-web${isText ? "-text" : ""}+${suffix}` },
        body: isText ? encodeBase64(trailer) : trailer,
      };
    }
    case "connect-stream": {
      const end = JSON.stringify(endStreamToJson(new Headers(), error, undefined));
      return {
        status: 200,
        headers: { "content-type": `application/connect+${suffix}` },
        body: encodeEnvelope(endStreamFlag, ENCODER.encode(end)),
      };
    }
    case "connect":
      return {
        status,
        headers: { "content-type": "application/json" },
        body: errorToJsonBytes(error, undefined),
      };
    case undefined:
      return textAnswer(status, `${error.rawMessage}\n`);
  }
}

/** Status, message and details, each in a field. */
function grpcFields(error: ConnectError): Record<string, string> {
  const fields: Record<string, string> = {};
  setGrpcTrailerStatus(new Headers(), error).forEach((value, name) => {
    fields[name] = name === "grpc-message" ? respellGrpcMessage(value) : value;
  });
  return fields;
}

/** Sends it over HTTP/1, with the fields that were set before. */
export function sendOverHttp1(response: ServerResponse, { status, headers, body }: OwnAnswer): void {
  response.writeHead(status, BODILESS.has(status) ? headers : { ...headers, "content-length": String(body.length) });
  response.end(body);
}

/**
 * Sends it over HTTP/2, and reads what is still to come of a small request, to no end: node:http2 closes a stream
 * behind its answer of whose request nothing was read. What comes then for it counts against its connection, which
 * nghttp2 ends after a thousand, and with it the calls of everybody who comes over the same one.
 */
export function sendOverHttp2({ stream, headers: asked, answerHeaders }: Http2Call, answer: OwnAnswer): void {
  const { status, headers, body } = answer;
  const endStream = body.length === 0 || asked[":method"] === "HEAD";
  stream.respond({ ...answerHeaders, ...headers, ":status": status }, { endStream });
  if (!endStream) stream.end(body);
  const close = () => stream.close(http2.constants.NGHTTP2_NO_ERROR);
  const timer = setTimeout(close, UNWANTED_MS_MAX);
  let bytes = 0;
  stream.on("data", (chunk: Uint8Array) => {
    bytes += chunk.length;
    if (bytes > UNWANTED_BYTES_MAX) close();
  }).once("close", () => clearTimeout(timer));
}

/** The text of these bytes, padded, as bytes of its own. */
export function encodeBase64(bytes: Uint8Array): Uint8Array {
  return Buffer.from(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64"), "latin1");
}
