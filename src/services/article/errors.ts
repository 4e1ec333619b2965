/** The article's codes for errors of inventory.v1. */
import { Code, ConnectError } from "@connectrpc/connect";
import { ShortStockSchema } from "../../gen/inventory/v1/inventory_pb.ts";
import type { Detail } from "../../rpc/errors.ts";

/** The article knows two codes where v1 has more: short stock is INVALID_ARGUMENT there. */
export function articleError(error: ConnectError): ConnectError {
  const short = error.details.some((detail) => "desc" in detail && detail.desc.typeName === ShortStockSchema.typeName);
  if (!short) return error;
  return new ConnectError(error.rawMessage, Code.InvalidArgument, error.metadata, [...error.details] as Detail[]);
}
