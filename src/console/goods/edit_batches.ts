/** Edits as calls of ApplyBatch, and what its verdicts say of each. */
import { create, fromBinary, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { ErrorInfoSchema } from "../../gen/google/rpc/error_details_pb.ts";
import type { Status } from "../../gen/google/rpc/status_pb.ts";
import { Basis, CurrentLevelSchema } from "../../gen/inventory/v1/inventory_pb.ts";
import {
  type ApplyBatchRequest,
  ApplyBatchRequestSchema,
  type BatchOperationSchema,
  type BatchVerdict,
} from "../../gen/inventory/v1/stock_pb.ts";
import { type Edit, type EditKind, type EditSheet, quantityOf, type Refusal } from "./edit_sheet.ts";
import type { Row } from "./row.ts";

/** Edits of one call; servers take 1000 unless they are set to fewer. */
export const BATCH_EDITS_MAX = 500;

/** A place's quantities and version as an answer has them. */
export type AnsweredLevel = Pick<Row, "goodsId" | "locationId" | "num" | "onHand" | "reserved" | "version">;

/** Codes after which nobody knows whether it was applied, or which say that it may be tried again. */
const UNKNOWN: ReadonlySet<number> = new Set([
  Code.Unavailable,
  Code.DeadlineExceeded,
  Code.Canceled,
  Code.Unknown,
  Code.ResourceExhausted,
]);

/**
 * The call for some edits, one operation each. A set is made only where the quantity is still the one that was seen; a
 * count is of the moment at which it was typed, by the server's clock, which is `clockAheadMs` ahead of this one.
 */
export function batchRequest(
  edits: readonly Edit[],
  kind: EditKind,
  { reason, clockAheadMs }: { readonly reason: string; readonly clockAheadMs: number },
): ApplyBatchRequest {
  return create(ApplyBatchRequestSchema, {
    operations: edits.map((edit): MessageInitShape<typeof BatchOperationSchema> => {
      const { seen: { goodsId, locationId }, after: num = 0 } = edit;
      if (kind === "count") {
        const occurredAt = timestampFromMs(Math.round(edit.typedAtMs + clockAheadMs));
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
      sheet.lost(key, { code: Code.Unknown, reason: "", message: "" });
      return [];
    }
    sheet.applied(key);
    const level = outcome.case === "setInv" ? outcome.value : outcome.value.level;
    return level === undefined || level.goodsId === 0 ? [] : [levelOf(level)];
  });
}

/** The call itself ended in an error: what it says is said of each edit. */
export function takeFailure(sheet: EditSheet, edits: readonly Edit[], error: unknown): void {
  const failure = ConnectError.from(error);
  const { code, rawMessage: message } = failure;
  const [info] = failure.findDetails(ErrorInfoSchema);
  const refusal: Refusal = { code, reason: info?.reason ?? "", message };
  for (const { key } of edits) {
    if (UNKNOWN.has(code)) sheet.lost(key, refusal);
    else sheet.refused(key, refusal);
  }
}

function takeError(sheet: EditSheet, key: Edit["key"], status: Status): readonly AnsweredLevel[] {
  const detail = status.details.find(({ typeUrl }) => typeUrl.endsWith("/inventory.v1.CurrentLevel"));
  if (status.code === Code.Aborted && detail !== undefined) {
    const level = fromBinary(CurrentLevelSchema, detail.value);
    sheet.conflicted(key, quantityOf(level, sheet.kind));
    return [levelOf(level)];
  }
  const info = status.details.find(({ typeUrl }) => typeUrl.endsWith("/google.rpc.ErrorInfo"));
  const reason = info === undefined ? "" : fromBinary(ErrorInfoSchema, info.value).reason;
  const refusal = { code: status.code, reason, message: status.message };
  // Aborted without a level: others were faster too often, and it may be tried again.
  if (UNKNOWN.has(status.code) || status.code === Code.Aborted) sheet.lost(key, refusal);
  else sheet.refused(key, refusal);
  return [];
}

function levelOf(
  level: Omit<AnsweredLevel, "version"> & { readonly version: bigint },
): AnsweredLevel {
  const { goodsId, locationId, num, onHand, reserved, version } = level;
  return { goodsId, locationId, num, onHand, reserved, version: Number(version) };
}
