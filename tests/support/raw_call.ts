/**
 * Calls without a client library: any path, headers and bytes over HTTP/1.1 or HTTP/2, and what came back as one line
 * of text, so that a table can say it. What a library would refuse to send, or hide in the answer, shows here.
 */
import { Buffer } from "node:buffer";
import http2 from "node:http2";
import { canonicalCode, type Json } from "./clients/client.ts";
import { decodeStatusDetails } from "./clients/grpc_js.ts";
import { jsonResult } from "./clients/json_fetch.ts";
import { Code } from "@connectrpc/connect";
import { HANG_MS } from "./eventually.ts";

/** Path of a method of inventory.v1. */
export function v1Path(method: string): string {
  return `/inventory.v1.InventoryService/${method}`;
}

/** A request over HTTP/1.1. */
export interface Http1Request {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: BodyInit;
}

/**
 * Sends over HTTP/1.1, one request after the other on a connection of its own. Answers the last one's status, code, and
 * the fields that a BadRequest names: `400 INVALID_ARGUMENT goods_id`.
 */
export async function rawHttp1(url: string, ...requests: Http1Request[]): Promise<string> {
  using client = Deno.createHttpClient({ poolMaxIdlePerHost: 1 });
  let answer = "";
  for (const request of requests) answer = await sendHttp1(client, url, request);
  return answer;
}

async function sendHttp1(client: Deno.HttpClient, url: string, request: Http1Request): Promise<string> {
  const signal = AbortSignal.timeout(HANG_MS);
  const response = await fetch(url, { method: "POST", client, signal, ...request }).catch(() => undefined);
  if (response === undefined) return signal.aborted ? "silence" : "cut";
  const text = await response.text();
  const isJson = response.headers.get("content-type")?.startsWith("application/json") === true;
  if (response.ok || !isJson) return `${response.status}`;
  const { code, details } = jsonResult(JSON.parse(text)) as { code: string; details: Json[] };
  return [response.status, code, ...fieldsOf(details)].join(" ");
}

/** Posts JSON text to a method of inventory.v1, one after the other on one connection. Answers as {@link rawHttp1}. */
export function rawJson(baseUrl: string, method: string, ...bodies: BodyInit[]): Promise<string> {
  const headers = { "content-type": "application/json" };
  return rawHttp1(baseUrl + v1Path(method), ...bodies.map((body) => ({ headers, body })));
}

/** A gRPC request: headers beside the usual ones, or instead of them, and the body's bytes. */
export interface GrpcRequest {
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly body: Uint8Array;
}

/**
 * Sends over HTTP/2 on a connection of its own. Answers the code and the fields that a BadRequest names, as
 * `INVALID_ARGUMENT goods_id`; without a code the HTTP status, as `415`, or "cut" where the stream or the connection
 * ended without an answer.
 */
export async function rawGrpc(baseUrl: string, { path = v1Path("Sell"), headers, body }: GrpcRequest): Promise<string> {
  const session = http2.connect(baseUrl);
  const { promise, resolve } = Promise.withResolvers<string>();
  const timer = setTimeout(() => resolve("silence"), HANG_MS);
  session.on("error", () => {});
  session.on("close", () => resolve("cut"));
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
  // Not "close": that would also wait for the rest of a body that the server does not want.
  stream.on("end", () => resolve(describe(answer)));
  stream.on("close", () => resolve(describe(answer)));
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

/** A field of protobuf with a number as it is, also where its type could not take it. */
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

function describe(answer: http2.IncomingHttpHeaders): string {
  const status = answer["grpc-status"];
  if (status === undefined) return `${answer[":status"] ?? "cut"}`;
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
