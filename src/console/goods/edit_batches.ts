/** Edits as calls of ApplyBatch, and what its verdicts say of each. */
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Status } from "../../gen/google/rpc/status_pb.ts";
import { Basis, CurrentLevelSchema } from "../../gen/inventory/v1/inventory_pb.ts";
import {
  type ApplyBatchRequest,
  ApplyBatchRequestSchema,
  type BatchOperationSchema,
  type BatchVerdict,
} from "../../gen/inventory/v1/stock_pb.ts";
import { type Edit, type EditKind, type EditSheet, quantityOf } from "./edit_sheet.ts";
import type { Row } from "./row.ts";

/** Edits of one call; servers take 1000 unless they are set to fewer. */
export const BATCH_EDITS_MAX = 500;

/** A place's quantities and version as an answer has them. */
export type AnsweredLevel = Pick<Row, "goodsId" | "locationId" | "num" | "onHand" | "reserved" | "version">;

/** Codes after which nobody knows whether it was applied, or which say that it may be sent again as it is. */
const UNKNOWN: ReadonlySet<number> = new Set([
  Code.Unavailable,
  Code.DeadlineExceeded,
  Code.Canceled,
  Code.Unknown,
  Code.Internal,
  Code.ResourceExhausted,
  // The key has expired: with another one it is sent again.
  Code.Unauthenticated,
  // Without a level: others were faster too often.
  Code.Aborted,
]);

/**
 * The call for some edits, one operation each. A set is made only where the quantity is still the one that was seen; a
 * count is of the moment at which it was typed.
 */
export function batchRequest(
  edits: readonly Edit[],
  kind: EditKind,
  reason: string,
): ApplyBatchRequest {
  return create(ApplyBatchRequestSchema, {
    operations: edits.map((edit): MessageInitShape<typeof BatchOperationSchema> => {
      const { seen: { goodsId, locationId }, after: num = 0 } = edit;
      if (kind === "count") {
        const occurredAt = timestampFromMs(Math.floor(edit.typedAtMs));
        const { operationId } = edit;
        return {
          operation: { case: "countInv", value: { goodsId, locationId, num, occurredAt, operationId, reason } },
        };
      }
      const basis = kind === "on_hand" ? Basis.ON_HAND : Basis.AVAILABLE;
      const expected = { case: "expectedNum", value: quantityOf(edit.seen, kind) } as const;
      return { operation: { case: "setInv", value: { goodsId, locationId, num, basis, expected, reason } } };
    }),
  });
}

/** Takes the verdicts on edits into their sheet; answers where their places stand, as far as the verdicts say so. */
export function takeVerdicts(
  sheet: EditSheet,
  edits: readonly Edit[],
  verdicts: readonly BatchVerdict[],
): readonly AnsweredLevel[] {
  return edits.flatMap(({ key }, i) => {
    const { outcome } = verdicts[i] ?? {};
    if (outcome?.case === "error") return takeError(sheet, key, outcome.value);
    if (outcome?.case !== "setInv" && outcome?.case !== "countInv") {
      sheet.lost(key, new ConnectError("no verdict", Code.Unknown));
      return [];
    }
    sheet.applied(key);
    const level = outcome.case === "setInv" ? outcome.value : outcome.value.level;
    return level === undefined || level.goodsId === 0 ? [] : [levelOf(level)];
  });
}

/** The call itself ended in an error: what it says is said of each edit. */
export function takeFailure(sheet: EditSheet, edits: readonly Edit[], thrown: unknown): void {
  for (const { key } of edits) takeRefusal(sheet, key, ConnectError.from(thrown));
}

function takeError(sheet: EditSheet, key: Edit["key"], status: Status): readonly AnsweredLevel[] {
  const error = errorOf(status);
  const [level] = error.findDetails(CurrentLevelSchema);
  if (error.code !== Code.Aborted || level === undefined) {
    takeRefusal(sheet, key, error);
    return [];
  }
  sheet.conflicted(key, quantityOf(level, sheet.kind));
  return [levelOf(level)];
}

function takeRefusal(sheet: EditSheet, key: Edit["key"], error: ConnectError): void {
  if (UNKNOWN.has(error.code)) sheet.lost(key, error);
  else sheet.refused(key, error);
}

/** The error in which the single call would have ended. */
function errorOf({ code, message, details }: Status): ConnectError {
  const error = new ConnectError(message, code);
  error.details = details.map(({ typeUrl, value }) => ({ type: typeUrl.replace(/^.*\//, ""), value }));
  return error;
}

function levelOf(
  level: Omit<AnsweredLevel, "version"> & { readonly version: bigint },
): AnsweredLevel {
  const { goodsId, locationId, num, onHand, reserved, version } = level;
  return { goodsId, locationId, num, onHand, reserved, version: Number(version) };
}
