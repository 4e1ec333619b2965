/**
 * What every client of the tests comes down to: a method and a request as proto3 JSON, and what came of it, in one form
 * for all protocols and libraries. Knows no protocol.
 */
import { createRegistry, fromBinary, toJson } from "@bufbuild/protobuf";
import { base64Decode } from "@bufbuild/protobuf/wire";
import { file_google_rpc_error_details } from "../../../src/gen/google/rpc/error_details_pb.ts";
import { file_inventory_v1_inventory } from "../../../src/gen/inventory/v1/inventory_pb.ts";

/** The services of inventory.v1 that the scenarios call: the file of each, and its methods. */
const SERVICES = {
  InventoryService: {
    contract: "inventory.proto",
    methods: ["SetInv", "InvDetail", "Sell", "Rollback", "SellBatch", "RollbackBatch", "BatchInvDetail"],
  },
  GoodsService: { contract: "goods.proto", methods: ["RegisterGoods", "GetGoods", "ListReasons", "AddReason"] },
  QueryService: {
    contract: "query.proto",
    methods: ["ListInv", "ListMovements", "ListOrders", "ExplainInv", "GetStats"],
  },
  HoldService: {
    contract: "holds.proto",
    methods: [
      "Reserve",
      "ExtendHold",
      "ConfirmHold",
      "ReleaseHold",
      "GetOrder",
      "ListHolds",
      "ListShortfalls",
      "ResolveShortfall",
    ],
  },
  StockService: {
    contract: "stock.proto",
    methods: [
      "AdjustInv",
      "CountInv",
      "TransferInv",
      "SetPolicy",
      "GetPolicy",
      "DeleteInv",
      "RestoreInv",
      "ApplyBatch",
    ],
  },
} as const;

/** The methods, whose names are each of one service only; the article's contract has the first four. */
export type Method = typeof SERVICES[keyof typeof SERVICES]["methods"][number];

/** The service of a method, and the file of its contract. */
export function serviceOf(method: Method): { readonly service: string; readonly contract: string } {
  for (const [name, { contract, methods }] of Object.entries(SERVICES)) {
    const known: readonly string[] = methods;
    if (known.includes(method)) return { service: `inventory.v1.${name}`, contract: `inventory/v1/${contract}` };
  }
  throw new Error(`Cannot call ${method}: no service has it`);
}

/** A message as proto3 JSON, with the fields that are zero. */
export type Json = { readonly [field: string]: unknown };

/**
 * What came of a call: the answer, or the canonical name of the code (`NOT_FOUND`) with the details. A detail says what
 * it is under `@type`, as `google.rpc.BadRequest`.
 */
export type CallResult = { readonly answer: Json } | { readonly code: string; readonly details: readonly Json[] };

/** One library over one protocol. */
export interface Client extends AsyncDisposable {
  readonly name: string;
  readonly contract: "v1" | "article";
  call(method: Method, request: Json): Promise<CallResult>;
}

/** What an error's details can be, also those in an answer. */
export const registry = createRegistry(file_google_rpc_error_details, file_inventory_v1_inventory);

/** A detail out of a Connect error on the wire: its type's full name, and its bytes as base64. */
export function decodeDetail({ type, value }: { readonly type: string; readonly value: string }): Json {
  const schema = registry.getMessage(type);
  if (schema === undefined) throw new Error(`Cannot decode a detail of the unknown type ${type}`);
  const fields = toJson(schema, fromBinary(schema, base64Decode(value)), { alwaysEmitImplicit: true });
  return { "@type": type, ...(fields as Json) };
}

/** `failed_precondition` as `FAILED_PRECONDITION`. */
export function canonicalCode(connectCode: string): string {
  return connectCode.toUpperCase();
}

/** An answer, or what has answers in it, as it is given again to a retry. */
export function again<T>(answer: T): T {
  if (Array.isArray(answer)) return answer.map(again) as T;
  if (typeof answer !== "object" || answer === null) return answer;
  const fields = Object.entries(answer).map(([name, field]) => [name, name === "replayed" ? true : again(field)]);
  return Object.fromEntries(fields);
}
