/**
 * Calls without a client library: any path, headers and bytes over HTTP/1.1 or HTTP/2, and what came back as one line
 * of text, so that a table can say it. What a library would refuse to send, or hide in the answer, shows here.
 */
import { Buffer } from "node:buffer";
import http2 from "node:http2";
import { canonicalCode, type Json } from "./clients/client.ts";
import { decodeStatusDetails } from "./clients/grpc_js.ts";
import { jsonOutcome } from "./clients/json_fetch.ts";
import { Code } from "@connectrpc/connect";

/** Path of a method of inventory.v1. */
export function v1Path(method: string): string {
  return `/inventory.v1.InventoryService/${method}`;
}

/** How long an answer may take; then the row's answer is "silence". */
const ANSWER_MS_MAX = 10_000;

/** A request over HTTP/1.1. */
export interface Http1Request {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: BodyInit;
}

/**
 * Sends over HTTP/1.1. Answers the status, the code, and the fields that a BadRequest names:
 * `400 INVALID_ARGUMENT goods_id`.
 */
export async function rawHttp1(url: string, { method = "POST", headers = {}, body }: Http1Request): Promise<string> {
  const response = await fetch(url, { method, headers, ...(body === undefined ? {} : { body }) });
  const text = await response.text();
  const isJson = response.headers.get("content-type")?.startsWith("application/json") === true;
  if (response.ok || !isJson) return `${response.status}`;
  const { code, details } = jsonOutcome(JSON.parse(text)) as { code: string; details: Json[] };
  return [response.status, code, ...fieldsOf(details)].join(" ");
}

/** Posts JSON text to a method of inventory.v1. */
export function rawJson(baseUrl: string, method: string, body: BodyInit): Promise<string> {
  return rawHttp1(baseUrl + v1Path(method), { headers: { "content-type": "application/json" }, body });
}

/** A gRPC request: headers beside the usual ones, or instead of them, and the body's bytes. */
export interface GrpcRequest {
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly body: Uint8Array;
}

/**
 * Sends over HTTP/2 on a connection of its own. Answers the code and the fields that a BadRequest names, as
 * `INVALID_ARGUMENT goods_id`; without a code the HTTP status, as `415`, or how the stream ended: `RST 1`, `GOAWAY 11`,
 * `closed`.
 */
export async function rawGrpc(baseUrl: string, { path = v1Path("Sell"), headers, body }: GrpcRequest): Promise<string> {
  const session = http2.connect(baseUrl);
  const { promise, resolve } = Promise.withResolvers<string>();
  const timer = setTimeout(() => resolve("silence"), ANSWER_MS_MAX);
  session.on("error", () => {});
  session.on("goaway", (code: number) => resolve(`GOAWAY ${code}`));
  session.on("close", () => resolve("closed"));
  const stream = session.request({
    ":method": "POST",
    ":path": path,
    "content-type": "application/grpc+proto",
    te: "trailers",
    ...headers,
  }, { endStream: false });
  let answer: http2.IncomingHttpHeaders = {};
  stream.on("error", () => {});
  stream.on("response", (received) => answer = received);
  stream.on("trailers", (received: http2.IncomingHttpHeaders) => answer = { ...answer, ...received });
  stream.on("close", () => resolve(describe(answer, stream.rstCode ?? 0)));
  stream.resume();
  stream.end(body);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    session.destroy();
  }
}

/** A length-prefixed message (the gRPC protocol over HTTP/2, "Length-Prefixed-Message"). */
export function grpcMessage(bytes: Uint8Array, { compressed = false, length = bytes.length } = {}): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = compressed ? 1 : 0;
  prefix.writeUInt32BE(length, 1);
  return Buffer.concat([prefix, bytes]);
}

/** A field of protobuf with a number as it is, also where its type could not hold it. */
export function varintField(number: number, value: bigint): Buffer {
  return Buffer.concat([varint(BigInt(number << 3)), varint(value)]);
}

/** A field of protobuf with bytes: a string or a message. */
export function bytesField(number: number, bytes: Uint8Array): Buffer {
  return Buffer.concat([varint(BigInt(number << 3 | 2)), varint(BigInt(bytes.length)), bytes]);
}

function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  for (; value > 127n; value >>= 7n) bytes.push(Number(value & 127n) | 128);
  return Buffer.from([...bytes, Number(value)]);
}

function describe(answer: http2.IncomingHttpHeaders, rstCode: number): string {
  const status = answer["grpc-status"];
  if (status === undefined) return answer[":status"] === undefined ? `RST ${rstCode}` : `${answer[":status"]}`;
  if (status === "0") return "OK";
  const details = answer["grpc-status-details-bin"];
  const decoded = details === undefined ? [] : decodeStatusDetails(Buffer.from(String(details), "base64"));
  const name = Code[Number(status)]!.replace(/(?<=[a-z])(?=[A-Z])/g, "_");
  return [canonicalCode(name), ...fieldsOf(decoded)].join(" ");
}

function fieldsOf(details: readonly Json[]): string[] {
  const violations = details.flatMap((detail) => detail.fieldViolations as { field: string }[] | undefined ?? []);
  return violations.map(({ field }) => field);
}
