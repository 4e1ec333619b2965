/** What operations with an id of their own have in common: the first answer again, or what differs. Pure. */
import { lineDifferences } from "../lines.ts";
import type { Level, Line, RecordedKind, RecordedOperation, Snapshot } from "../model.ts";
import { type Decision, NO_EFFECT, refused } from "./rules.ts";

/**
 * Of an operation of one place whose id is the server's own: how it left the place, if it is on record. That is so
 * where its write was lost and came all the same; what has come after it is none of its caller's.
 */
export function levelMade(snapshot: Snapshot, operationId: string): Level | undefined {
  return snapshot.operations.get(operationId)?.levels?.[0];
}

/** The decision of such an operation that writes nothing; `replayed`: the place was so before it came. */
export function standsAs(operationId: string, level: Level, replayed: boolean): Decision {
  const answer = { ok: true, kind: "stock", operationId, levels: [level] } as const;
  return { ok: true, effect: NO_EFFECT, answer: replayed ? { ...answer, replayed } : answer };
}

/** What is asked now under the id. */
export interface AskedAgain {
  readonly kind: RecordedKind;
  readonly lines: readonly Line[];
  readonly content?: RecordedOperation["content"];
}

/** The decision on an id that is on record. */
export function decideRecorded(recorded: RecordedOperation, asked: AskedAgain): Decision {
  const { operationId } = recorded;
  const differences = differencesOf(recorded, asked);
  if (differences.length > 0) {
    return refused({ reason: "content_differs", field: "operation_id", id: operationId, differences });
  }
  const levels: readonly Level[] = recorded.levels ?? [];
  return { ok: true, effect: NO_EFFECT, answer: { ok: true, kind: "stock", operationId, levels, replayed: true } };
}

function differencesOf(recorded: RecordedOperation, { kind, lines, content = {} }: AskedAgain): string[] {
  if (recorded.kind !== kind) return [`it was for a ${recorded.kind.replaceAll("_", " ")}, now it is for a ${kind}`];
  const before = recorded.content ?? {};
  const names = [...new Set([...Object.keys(before), ...Object.keys(content)])].sort();
  const other = names.filter((name) => before[name] !== content[name])
    .map((name) => `${name} was ${before[name] ?? "not given"}, now ${content[name] ?? "not given"}`);
  return [...lineDifferences(recorded.lines, lines), ...other];
}
