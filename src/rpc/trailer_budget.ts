/**
 * The trailers of an error within what clients take: the whole list, names and values and 32 bytes a field, in 8,192
 * bytes. With more grpc-java says INTERNAL and Python's grpcio, at random, RESOURCE_EXHAUSTED, whatever the error was.
 * Pure.
 */
import { create, toBinary } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { ConnectError } from "@connectrpc/connect";
import type { OutgoingHttpHeaders } from "node:http2";
import { StatusSchema } from "../gen/google/rpc/status_pb.ts";
import { respellGrpcMessage } from "../transport/http2/headers.ts";

/** Of the whole list of trailers. */
export const TRAILER_BYTES_MAX = 8_192;
/** Of a header that has an error in it: nginx has 4 KiB for a header by default (`grpc_buffer_size`). */
export const ERROR_HEADER_BYTES_MAX = 3_072;
/** What a field costs beside its name and value (RFC 9113, section 6.5.2, SETTINGS_MAX_HEADER_LIST_SIZE). */
const FIELD_BYTES = 32;
/** Of the text of an error as `grpc-message` has it. */
export const MESSAGE_BYTES_MAX = 1_024;
/** grpc-status, x-request-id with 64 characters, and a field of a proxy. */
const OTHER_BYTES = 45 + 108 + 64;
const CUT = "…";

/** The size of trailers as clients count it. */
export function trailerBytes(fields: OutgoingHttpHeaders): number {
  let bytes = 0;
  for (const [name, value] of Object.entries(fields)) {
    for (const one of [value].flat()) bytes += name.length + String(one).length + FIELD_BYTES;
  }
  return bytes;
}

/** The same error where it fits; else with its text cut, and without the details that don't fit. */
export function boundError(error: ConnectError): ConnectError {
  const text = boundText(error.rawMessage);
  const kept = fittingDetails(error.details, text);
  if (text === error.rawMessage && kept.length === error.details.length) return error;
  const bounded = new ConnectError(text, error.code, error.metadata, undefined, error.cause);
  bounded.details = kept;
  return bounded;
}

/** What details may take beside this text, which stands in grpc-message and in the google.rpc.Status with them. */
function detailBytesMax(text: string): number {
  const fields = "grpc-message".length + encodedBytes(text) + "grpc-status-details-bin".length + 2 * FIELD_BYTES;
  // base64 makes 4 bytes of 3; code, tag and length of the text take 8.
  const status = Math.floor((TRAILER_BYTES_MAX - OTHER_BYTES - fields) / 4) * 3;
  return status - new TextEncoder().encode(text).length - 8;
}

/** The first details that fit together beside the text. */
function fittingDetails(details: ConnectError["details"], text: string): ConnectError["details"] {
  if (details.length === 0) return details;
  const bytesMax = detailBytesMax(text);
  let bytes = 0;
  const end = details.findIndex((detail) => (bytes += detailBytes(detail)) > bytesMax);
  return end === -1 ? details : details.slice(0, end);
}

/** A detail in a google.rpc.Status. */
function detailBytes(detail: ConnectError["details"][number]): number {
  const any = "desc" in detail
    ? anyPack(detail.desc, create(detail.desc, detail.value))
    : { typeUrl: `type.googleapis.com/${detail.type}`, value: detail.value };
  return toBinary(StatusSchema, create(StatusSchema, { details: [any] })).length;
}

/**
 * A text whose `grpc-message` has {@link MESSAGE_BYTES_MAX} at most, cut where it has more. Halves of pairs become
 * U+FFFD.
 */
export function boundText(given: string): string {
  const text = given.toWellFormed();
  if (text.length <= MESSAGE_BYTES_MAX / 9 || encodedBytes(text) <= MESSAGE_BYTES_MAX) return text;
  let kept = "";
  let bytes = encodedBytes(CUT);
  for (const character of text) {
    bytes += encodedBytes(character);
    if (bytes > MESSAGE_BYTES_MAX) break;
    kept += character;
  }
  return kept + CUT;
}

/** The last word on trailers, whoever made them: the whole list fits, and the status is in it. */
export function boundTrailers(fields: OutgoingHttpHeaders): OutgoingHttpHeaders {
  const message = fields["grpc-message"];
  if (typeof message === "string" && message.length > MESSAGE_BYTES_MAX) fields["grpc-message"] = cutEncoded(message);
  if (trailerBytes(fields) <= TRAILER_BYTES_MAX) return fields;
  const { "grpc-status-details-bin": _, ...others } = fields;
  if (trailerBytes(others) <= TRAILER_BYTES_MAX) return others;
  const { "grpc-status": status, "grpc-message": text } = others;
  return { "grpc-status": status, ...(text === undefined ? {} : { "grpc-message": text }) };
}

/**
 * Header and trailers in one, where an error is all of the answer ("Trailers-Only") and it fits: libraries of gRPC
 * retry by their policy only what came without a header of its own. Undefined: it has to be both.
 */
export function errorAlone(
  header: OutgoingHttpHeaders,
  trailers: Readonly<OutgoingHttpHeaders>,
): OutgoingHttpHeaders | undefined {
  const status = trailers["grpc-status"];
  if (status === undefined || status === "0") return undefined;
  // There is no message that would be packed.
  const { "grpc-encoding": _, ...fields } = { ...header, ...trailers };
  return trailerBytes(fields) <= ERROR_HEADER_BYTES_MAX ? fields : undefined;
}

/** Cut between characters: an escape is three bytes, and a character of UTF-8 up to four of them. */
function cutEncoded(message: string): string {
  for (let cut = message.slice(0, MESSAGE_BYTES_MAX); cut.length > 0; cut = cut.slice(0, -1)) {
    try {
      decodeURIComponent(cut);
      return cut;
    } catch {
      // Within an escape or a character: one byte less.
    }
  }
  return "";
}

function encodedBytes(text: string): number {
  return respellGrpcMessage(encodeURIComponent(text)).length;
}
