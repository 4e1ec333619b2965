/** The clients for browsers, `@connectrpc/connect-web` over fetch, with the generated code that a page would use. */
import { type DescMethodUnary, fromJson, type JsonValue, toBinary, toJson } from "@bufbuild/protobuf";
import { base64Encode } from "@bufbuild/protobuf/wire";
import { Code, ConnectError, type Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";
import { GoodsService } from "../../../src/gen/inventory/v1/goods_pb.ts";
import { HoldService } from "../../../src/gen/inventory/v1/holds_pb.ts";
import { QueryService } from "../../../src/gen/inventory/v1/query_pb.ts";
import { InventoryService } from "../../../src/gen/inventory/v1/inventory_pb.ts";
import { StockService } from "../../../src/gen/inventory/v1/stock_pb.ts";
import { type CallResult, canonicalCode, type Client, decodeDetail, type Json, registry } from "./client.ts";

const METHODS = [InventoryService, GoodsService, QueryService, HoldService, StockService].flatMap(({ methods }) =>
  methods
);

/** gRPC-web. */
export function grpcWebClient(baseUrl: string): Client {
  return client("connect-web, gRPC-web", createGrpcWebTransport({ baseUrl }));
}

/** Connect with messages as protobuf. */
export function connectBinaryClient(baseUrl: string): Client {
  return client("connect-web, Connect", createConnectTransport({ baseUrl, useBinaryFormat: true }));
}

/** Calls and waits. Rejects only for what is no status. */
export async function callTransport(transport: Transport, name: string, request: Json): Promise<CallResult> {
  const method = METHODS.find((candidate) => candidate.name === name) as DescMethodUnary;
  try {
    const input = fromJson(method.input, request as JsonValue);
    const { message } = await transport.unary(method, undefined, undefined, undefined, input);
    return { answer: toJson(method.output, message, { alwaysEmitImplicit: true, registry }) as Json };
  } catch (error) {
    if (!(error instanceof ConnectError)) throw error;
    return resultOf(error);
  }
}

function client(name: string, transport: Transport): Client {
  return {
    name,
    contract: "v1",
    call: (method, request) => callTransport(transport, method, request),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

function resultOf(error: ConnectError): CallResult {
  const code = Code[error.code]!.replace(/(?<=[a-z])(?=[A-Z])/g, "_");
  const details = error.details.map((detail) => {
    if (!("desc" in detail)) return decodeDetail({ type: detail.type, value: base64Encode(detail.value) });
    const { typeName } = detail.desc;
    return decodeDetail({ type: typeName, value: base64Encode(toBinary(detail.desc, detail.value as never)) });
  });
  return { code: canonicalCode(code), details };
}
