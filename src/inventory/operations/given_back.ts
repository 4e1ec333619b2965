/**
 * What a rollback and a give-back have in common: units that come back, and the id under which they came back before.
 */
import { lineDifferences } from "../lines.ts";
import type { Applied, Line, RecordedKind, RecordedOperation } from "../model.ts";
import { type Decision, NO_EFFECT, refused, type Step } from "./rules.ts";

/** The steps of lines that come back. */
export function givenBack(lines: readonly Line[]): Step[] {
  return lines.map(({ goodsId, locationId, num }) => ({ goodsId, locationId, onHandDelta: num, reservedDelta: 0 }));
}

/**
 * The decision on an id that is on record: the first answer again, or what differs from the first call. `whole`: all of
 * an order is to come back, whatever the lines.
 */
export function replayed(recorded: RecordedOperation, whole: boolean, lines: readonly Line[]): Decision {
  const differences = contentDifferences(recorded, whole, lines);
  if (differences.length > 0) return rollbackDiffers(recorded, differences);
  const given = recorded.kind === "bar" ? [] : recorded.lines;
  const answer: Applied = {
    ok: true,
    kind: "rollback",
    operationId: recorded.operationId,
    given,
    replayed: true,
  };
  return { ok: true, effect: NO_EFFECT, answer };
}

/** Kinds of what has a rollback_id. */
const KINDS: ReadonlySet<RecordedKind> = new Set(["give_back", "rollback_whole", "rollback_part", "bar"]);

/** The decision on an id that is on record for something else; `orderId` is the order that it is asked for now. */
export function otherOrder(recorded: RecordedOperation, orderId: string | undefined): Decision {
  const { kind } = recorded;
  const before = KINDS.has(kind) ? `for ${named(recorded.orderId)}` : `of kind ${kind}`;
  return rollbackDiffers(recorded, [`it was ${before}, now for ${named(orderId)}`]);
}

function contentDifferences(recorded: RecordedOperation, whole: boolean, lines: readonly Line[]): string[] {
  const wasWhole = recorded.kind === "rollback_whole";
  if (wasWhole && whole) return [];
  if (wasWhole) return ["it was for the whole order, now for a part"];
  if (whole && recorded.kind === "rollback_part") return ["it was for a part of the order, now for the whole"];
  return lineDifferences(recorded.lines, lines);
}

function rollbackDiffers({ operationId }: RecordedOperation, differences: readonly string[]): Decision {
  return refused({ reason: "content_differs", field: "rollback_id", id: operationId, differences });
}

function named(orderId: string | undefined): string {
  return orderId === undefined ? "no order" : `order ${orderId}`;
}
