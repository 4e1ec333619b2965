/** What inventory.v1 answered, as the article says it: its level is shorter, and it has two codes where v1 has more. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type { GoodInvInfoSchema } from "../../gen/article/inventory_pb.ts";
import { type InvDetailResponseSchema, ShortStockSchema } from "../../gen/inventory/v1/inventory_pb.ts";
import type { Detail } from "../../rpc/errors.ts";

/** A level. */
export function levelAnswer(
  { goodsId, num }: MessageInitShape<typeof InvDetailResponseSchema>,
): MessageInitShape<typeof GoodInvInfoSchema> {
  return { goodsId: goodsId ?? 0, num: num ?? 0 };
}

/** An error: short stock is INVALID_ARGUMENT, all else is as it was. */
export function articleError(error: ConnectError): ConnectError {
  const short = error.details.some((detail) => "desc" in detail && detail.desc.typeName === ShortStockSchema.typeName);
  if (!short) return error;
  return new ConnectError(error.rawMessage, Code.InvalidArgument, error.metadata, [...error.details] as Detail[]);
}
