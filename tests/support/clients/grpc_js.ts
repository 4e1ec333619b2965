/**
 * `@grpc/grpc-js` with contracts loaded at run time by `@grpc/proto-loader`: nothing that this repository generated is
 * used, not even for the details of errors.
 */
import * as grpc from "@grpc/grpc-js";
import { loadSync, type MessageTypeDefinition, type PackageDefinition } from "@grpc/proto-loader";
import { Buffer } from "node:buffer";
import { type CallResult, type Client, type Json, serviceOf } from "./client.ts";

const ROOT = new URL("../../../", import.meta.url).pathname;
const DETAILS_TRAILER = "grpc-status-details-bin";

/** How to call. */
export interface GrpcJsOptions {
  /** Certificate authority as PEM, where the server speaks TLS. */
  readonly ca?: string;
  /** Beside those of its own. */
  readonly options?: grpc.ClientOptions;
}

/** A service of a contract file, ready to be called by the names of its methods. */
export function grpcJsService(
  url: string,
  contract: string,
  service: string,
  { ca, options: more }: GrpcJsOptions = {},
): grpc.Client & Record<string, UnaryMethod> {
  const credentials = ca === undefined
    ? grpc.credentials.createInsecure()
    : grpc.credentials.createSsl(Buffer.from(ca));
  const parts = service.split(".");
  let found: unknown = contractOf(contract);
  for (const part of parts) found = (found as Record<string, unknown>)[part];
  const Service = found as grpc.ServiceClientConstructor;
  // An address is no server name that Deno's TLS takes.
  const options = { ...more, ...(ca === undefined ? {} : { "grpc.ssl_target_name_override": "localhost" }) };
  return new Service(new URL(url).host, credentials, options) as never;
}

/** A unary method of a {@link grpcJsService}. */
export type UnaryMethod = (
  request: Json,
  options: grpc.CallOptions,
  done: (error: grpc.ServiceError | null, answer?: Json) => void,
) => grpc.ClientUnaryCall;

/** Calls and waits. Rejects only for what is no status. */
export function callGrpcJs(
  service: Record<string, UnaryMethod>,
  method: string,
  request: Json,
  options: grpc.CallOptions = {},
): Promise<CallResult> {
  return new Promise((resolve) => {
    service[method]!(asFields(request) as Json, options, (error, answer) => {
      resolve(error === null ? { answer: asJson(answer!) as Json } : resultOf(error));
    });
  });
}

/** The details in a `grpc-status-details-bin` trailer. */
export function decodeStatusDetails(bytes: Buffer): Json[] {
  return Status.deserialize(bytes).details.map((any) => ({ "@type": typeName(any), ...fieldsOf(any) }));
}

/** The client of inventory.v1. */
export function grpcJsClient(url: string, options: GrpcJsOptions = {}): Client {
  const services = new Map<string, ReturnType<typeof grpcJsService>>();
  return {
    name: "grpc-js",
    contract: "v1",
    call(method, request) {
      const { service, contract } = serviceOf(method);
      const known = services.get(service) ?? grpcJsService(url, contract, service, options);
      services.set(service, known);
      return callGrpcJs(known, method, request);
    },
    [Symbol.asyncDispose]: () => Promise.resolve(services.forEach((service) => service.close())),
  };
}

/** The client of the article, with the article's own contract. */
export function articleClient(url: string): Client {
  const service = grpcJsService(url, "article/inventory.proto", "inventory");
  return {
    name: "grpc-js with the article's contract",
    contract: "article",
    call: (method, request) => callGrpcJs(service, method, request),
    [Symbol.asyncDispose]: () => Promise.resolve(service.close()),
  };
}

const contracts = new Map<string, grpc.GrpcObject>();

/** What a contract file defines: read once, as that takes longer than most calls. */
function contractOf(file: string): grpc.GrpcObject {
  const known = contracts.get(file) ?? grpc.loadPackageDefinition(load(file));
  contracts.set(file, known);
  return known;
}

function load(...files: string[]): PackageDefinition {
  return loadSync(files, {
    includeDirs: [
      `${ROOT}proto`,
      `${ROOT}node_modules/google-proto-files`,
      `${ROOT}node_modules/grpc-health-check/proto`,
    ],
    longs: String,
    enums: String,
    defaults: true,
  });
}

const details = load("google/rpc/status.proto", "google/rpc/error_details.proto", "inventory/v1/inventory.proto");
const Status = messageType<{ details: Any[] }>("google.rpc.Status");

/** A `google.protobuf.Any` as the library decodes it. */
interface Any {
  readonly type_url: string;
  readonly value: Buffer;
}

function typeName({ type_url }: Any): string {
  return type_url.slice(type_url.lastIndexOf("/") + 1);
}

function fieldsOf(any: Any): Json {
  return withoutNulls(messageType<Json>(typeName(any)).deserialize(any.value));
}

function messageType<T>(name: string): MessageTypeDefinition<object, T> {
  return details[name] as MessageTypeDefinition<object, T>;
}

function resultOf(error: grpc.ServiceError): CallResult {
  const [bytes] = error.metadata.get(DETAILS_TRAILER);
  return {
    code: grpc.status[error.code]!,
    details: bytes === undefined ? [] : decodeStatusDetails(bytes as Buffer),
  };
}

/** Absent messages are null here, where JSON leaves them out. */
function withoutNulls(message: Json): Json {
  return JSON.parse(JSON.stringify(message), (_key, value) => value ?? undefined);
}

/** Fields whose JSON is a text that the library does not know: durations, and times. */
const DURATIONS = new Set(["ttl", "holdTtl", "buyerWindow"]);
const TIMES = new Set(["occurredAt", "expiresFrom", "expiresBefore", "changedSince", "since", "until", "openedAt"]);
const DURATION = /^(-?)(\d+)(?:\.(\d{1,9}))?s$/;

/** JSON as the library takes it. */
function asFields(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(asFields);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => {
      if (typeof field !== "string") return [name, asFields(field)];
      if (TIMES.has(name)) return [name, timeOf(field)];
      return [name, DURATIONS.has(name) ? durationOf(field) : field];
    }),
  );
}

function durationOf(text: string): Json {
  const [, sign = "", seconds = "", fraction = ""] = DURATION.exec(text) ?? [];
  return { seconds: sign + seconds, nanos: Number(sign + fraction.padEnd(9, "0")) };
}

/** To the millisecond. */
function timeOf(text: string): Json {
  const ms = Date.parse(text);
  const seconds = Math.floor(ms / 1000);
  return { seconds: `${seconds}`, nanos: (ms - seconds * 1000) * 1_000_000 };
}

/** What the library decoded, in the form that JSON has: no absent messages, times as text, details decoded. */
function asJson(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(asJson);
  if (typeof value !== "object" || value === null) return value;
  if ("type_url" in value) return { "@type": value.type_url, ...fieldsOf(value as Any) };
  if ("nanos" in value) {
    const { seconds, nanos } = value as { seconds: string; nanos: number };
    return new Date(Number(seconds) * 1000 + nanos / 1e6).toISOString();
  }
  const present = Object.entries(value).filter(([, field]) => field !== null);
  return Object.fromEntries(present.map(([name, field]) => [name, asJson(field)]));
}
