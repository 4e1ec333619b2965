/**
 * Streams of changes over each protocol, by the clients of others, in one form: what came, and the token to go on from.
 */
import { type Client, createClient, type Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport, Http2SessionManager } from "@connectrpc/connect-node";
import * as grpc from "@grpc/grpc-js";
import { WatchEnd, WatchService, WatchStart } from "../../src/gen/inventory/v1/watch_pb.ts";
import { grpcJsService } from "./clients/grpc_js.ts";

/** One message. */
export interface StreamMessage {
  /** Empty: the one before. */
  readonly token: string;
  readonly event:
    | { readonly case: "started"; readonly start: string; readonly heartbeatMs: number }
    | { readonly case: "snapshot"; readonly levels: readonly StreamLevel[]; readonly complete: boolean }
    | { readonly case: "changes"; readonly changes: readonly StreamChange[] }
    | { readonly case: "heartbeat" }
    | { readonly case: "ended"; readonly end: string };
}

/** Where a place stands. */
export interface StreamLevel {
  readonly goodsId: number;
  readonly locationId: number;
  readonly version: number;
  readonly onHand: number;
  readonly reserved: number;
}

/** A change of it, or a row of the ledger, whose level is what stands after it. */
export interface StreamChange {
  readonly level: StreamLevel;
  readonly folded: number;
}

/** Which of the two streams. */
export type StreamMethod = "WatchInv" | "WatchMovements";

/** The fields of a request, by the names that JSON has. */
export type StreamRequest = Readonly<Record<string, unknown>>;

/** Where streams are opened, over one connection. */
export interface StreamSource {
  /** Opens a stream. Reading it throws a {@link StreamError} where it does not end by itself. */
  open(method: StreamMethod, request: StreamRequest, signal: AbortSignal): AsyncIterable<StreamMessage>;
  /** Closes the connection. */
  close(): void;
}

/** What a stream ended in. @param code by gRPC's name */
export class StreamError extends Error {
  constructor(readonly code: string, message: string) {
    super(`${code}: ${message}`);
  }
}

/** By grpc-js: all streams of a source share its one connection. */
export function grpcJsSource(
  url: string,
  { ca, metadata = {} }: { readonly ca?: string; readonly metadata?: Readonly<Record<string, string>> } = {},
): StreamSource {
  const service = grpcJsService(url, "inventory/v1/watch.proto", "inventory.v1.WatchService", {
    options: { "grpc.use_local_subchannel_pool": 1 },
    ...(ca === undefined ? {} : { ca }),
  });
  const sent = new grpc.Metadata();
  for (const [name, value] of Object.entries(metadata)) sent.set(name, value);
  return {
    async *open(method, request, signal) {
      const open = service[method] as unknown as StreamMethodOfGrpcJs;
      const call = open.call(service, request, sent);
      signal.addEventListener("abort", () => call.cancel(), { once: true });
      try {
        for await (const message of call) yield ofJson(message as Json);
      } catch (error) {
        const { code, details } = error as grpc.ServiceError;
        throw new StreamError(grpc.status[code] ?? `${error}`, details);
      } finally {
        call.cancel();
      }
    },
    close: () => service.close(),
  };
}

/** By connect-node, whose streams over HTTP/1.1 have a connection each. */
export function connectSource(
  url: string,
  protocol: "gRPC-web" | "Connect",
  httpVersion: "1.1" | "2",
  ca?: string,
): StreamSource {
  const create: (options: never) => Transport = protocol === "gRPC-web"
    ? createGrpcWebTransport
    : createConnectTransport;
  const nodeOptions = ca === undefined ? {} : { ca };
  const sessions = httpVersion === "2" ? new Http2SessionManager(url, {}, nodeOptions) : undefined;
  const transport = create(
    {
      baseUrl: url,
      httpVersion,
      nodeOptions,
      ...(sessions === undefined ? {} : { sessionManager: sessions }),
    } as never,
  );
  const client: Client<typeof WatchService> = createClient(WatchService, transport);
  return {
    async *open(method, request, signal) {
      try {
        if (method === "WatchInv") {
          for await (const message of client.watchInv(request, { signal })) yield ofMessage(message as never);
        } else {
          for await (const message of client.watchMovements(request, { signal })) yield ofMessage(message as never);
        }
      } catch (error) {
        const { code, rawMessage } = error as { code: number; rawMessage: string };
        throw new StreamError(grpc.status[code] ?? `${error}`, rawMessage);
      }
    },
    close: () => sessions?.abort(),
  };
}

type Json = Record<string, unknown>;
type StreamMethodOfGrpcJs = (request: StreamRequest, metadata: grpc.Metadata) => grpc.ClientReadableStream<unknown>;

/** What proto-loader makes of a message: absent ones are null, and enums are names. */
function ofJson(message: Json): StreamMessage {
  const token = message.resumeToken as string;
  const of = (name: string) => message[name] as Json | null | undefined;
  const [started, snapshot, changes, movements, ended] = ["started", "snapshot", "changes", "movements", "ended"]
    .map(of);
  if (started) {
    return { token, event: { case: "started", start: `${started.start}`, heartbeatMs: Number(started.heartbeatMs) } };
  }
  if (snapshot) {
    const levels = (snapshot.levels as Json[]).map(levelOf);
    return { token, event: { case: "snapshot", levels, complete: snapshot.complete as boolean } };
  }
  if (changes) return { token, event: { case: "changes", changes: (changes.changes as Json[]).map(changeOf) } };
  if (movements) return { token, event: { case: "changes", changes: (movements.movements as Json[]).map(rowOf) } };
  if (ended) return { token, event: { case: "ended", end: `${ended.end}` } };
  return { token, event: { case: "heartbeat" } };
}

/** What protobuf-es makes of it: one event, enums as numbers, whole numbers of 64 bits as such. */
function ofMessage(message: { resumeToken: string; event: { case: string; value: Json } }): StreamMessage {
  const { case: name, value } = message.event;
  const named = name === "started"
    ? { ...value, start: `WATCH_START_${WatchStart[value.start as number]}` }
    : name === "ended"
    ? { ...value, end: `WATCH_END_${WatchEnd[value.end as number]}` }
    : value;
  return ofJson({ resumeToken: message.resumeToken, [name]: named });
}

function levelOf(level: Json): StreamLevel {
  return {
    goodsId: Number(level.goodsId),
    locationId: Number(level.locationId),
    version: Number(level.version),
    onHand: Number(level.onHand),
    reserved: Number(level.reserved),
  };
}

function changeOf(change: Json): StreamChange {
  return { level: levelOf(change.level as Json), folded: Number(change.folded) };
}

function rowOf(row: Json): StreamChange {
  return { level: levelOf({ ...row, onHand: row.onHandAfter, reserved: row.reservedAfter }), folded: 0 };
}
