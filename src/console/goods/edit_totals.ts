/** How many edits of a sheet stand how, for the bar below the table. */
import type { EditSheet } from "./edit_sheet.ts";

/** Counts of edits. */
export interface EditTotals {
  readonly all: number;
  /** They would be sent. */
  readonly ready: number;
  /** They can't be, as they are. */
  readonly bad: number;
  /** Ready, and the row has changed since they were typed. */
  readonly moved: number;
  readonly applied: number;
  readonly conflicts: number;
  readonly refused: number;
  readonly unknown: number;
  /** What all that are ready add, less what they take. */
  readonly difference: number;
}

/** The counts of a sheet as it stands. */
export function totalsOf(sheet: EditSheet): EditTotals {
  const totals = {
    ...{ all: sheet.size, ready: 0, bad: 0, moved: 0, applied: 0 },
    ...{ conflicts: 0, refused: 0, unknown: 0, difference: 0 },
  };
  for (const edit of sheet.all()) {
    if (edit.problem !== undefined && edit.problem !== "unchanged") totals.bad++;
    if (sheet.isReady(edit)) {
      totals.ready++;
      totals.difference += edit.after! - sheet.before(edit);
      if (edit.state === "open" && edit.now !== undefined) totals.moved++;
    }
    if (edit.state === "applied") totals.applied++;
    else if (edit.state === "conflict") totals.conflicts++;
    else if (edit.state === "refused") totals.refused++;
    else if (edit.state === "unknown") totals.unknown++;
  }
  return totals;
}
