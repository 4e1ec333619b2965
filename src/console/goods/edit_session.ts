/** Editing many rows: what is typed and pasted, what of it is shown, and sending it. */
import type { ApplyBatchRequest, BatchVerdict } from "../../gen/inventory/v1/stock_pb.ts";
import { type AnsweredLevel, BATCH_EDITS_MAX, batchRequest, takeFailure, takeVerdicts } from "./edit_batches.ts";
import { type Edit, type EditKind, EditSheet } from "./edit_sheet.ts";
import { indexRows, type TargetProblem, targetsOf, unknownNames } from "./paste_targets.ts";
import { keyOf, type Row, type RowKey } from "./row.ts";
import { readSheet } from "./sheet.ts";
import { LINES_MAX } from "./sheet_cells.ts";

/** Lines that can't be taken in which are shown. */
const PROBLEMS_MAX = 100;

/** What came of a paste. */
export interface PasteReport {
  /** Lines that became edits. */
  readonly taken: number;
  /** Lines that say what is there anyhow. */
  readonly unchanged: number;
  /** Lines that did not, the first of them. */
  readonly problems: readonly {
    readonly line: number;
    readonly text: string;
    readonly problem: TargetProblem | "full";
  }[];
  readonly problemCount: number;
  /** There was more in it than is read at once. */
  readonly isCut: boolean;
  /** Why goods that are not listed could not be looked up; nothing was taken in then. */
  readonly error?: unknown;
}

/** What a session is made with. */
export interface EditCalls {
  /** ApplyBatch. */
  batch(request: ApplyBatchRequest): Promise<readonly BatchVerdict[]>;
  /** Rows of these SKUs or goods ids, wherever they are. */
  find(names: readonly string[]): Promise<readonly Row[]>;
  /** By the server's clock. */
  nowMs(): number;
  makeId(): string;
}

/** The rows beside which edits are shown. */
export interface EditedList {
  /** Undefined: it is not listed. */
  get(key: RowKey): Row | undefined;
  all(): Iterable<Row>;
  /** Is called after anything of the session is another. */
  changed(): void;
}

/** One kind of edits, from the first that is typed to the last that is applied or given up. */
export class EditSession {
  readonly sheet: EditSheet;
  /** A code of the shop's reasons; empty: none. */
  reason = "";
  #report: PasteReport | undefined;
  #isBusy = false;
  #review: readonly RowKey[] | undefined;
  readonly #answered = new Map<RowKey, AnsweredLevel>();
  #list: EditedList = { get: () => undefined, all: () => [], changed: () => {} };

  constructor(readonly kind: EditKind, private calls: EditCalls) {
    this.sheet = new EditSheet(kind, () => calls.makeId());
  }

  /** From now on it is about these rows, and asks the server by these calls. */
  show(list: EditedList, calls: EditCalls = this.calls): void {
    this.#list = list;
    this.calls = calls;
  }

  /** What came of the latest paste, until it is put away. */
  get report(): PasteReport | undefined {
    return this.#report;
  }

  /** Something is under way that edits wait for. */
  get isBusy(): boolean {
    return this.#isBusy;
  }

  /** The edited places in the sequence in which they are reviewed; undefined: all rows are shown. */
  get review(): readonly RowKey[] | undefined {
    return this.#review;
  }

  /** Shows the edited rows alone, those that need a look first; or all rows again. */
  showOnlyEdits(only: boolean): void {
    const edits = [...this.sheet.all()];
    this.#review = only ? edits.sort((a, b) => urgency(a) - urgency(b)).map(({ key }) => key) : undefined;
    this.#list.changed();
  }

  /** A row as it is listed, else as it was when it was edited. */
  row(key: RowKey): Row | undefined {
    return this.#list.get(key) ?? this.sheet.get(key)?.seen;
  }

  type(row: Row, text: string): void {
    this.sheet.type(this.#newer(row), text, this.calls.nowMs());
    this.#list.changed();
  }

  /** Whoever typed has left the row. */
  settle(key: RowKey): void {
    this.sheet.settle(key);
    this.#list.changed();
  }

  /** The same quantity for several rows. */
  typeAll(rows: readonly Row[], text: string): void {
    const nowMs = this.calls.nowMs();
    for (const row of rows) {
      this.sheet.type(this.#newer(row), text, nowMs);
      this.sheet.settle(keyOf(row));
    }
    this.#list.changed();
  }

  /** A text of a sheet; a column goes down `chosen`. Goods that are named and not listed are looked up. */
  async paste(text: string, chosen: readonly Row[]): Promise<void> {
    await this.#busy(async () => {
      this.#report = undefined;
      const pasted = readSheet(text);
      const listed = indexRows(this.#list.all());
      const missing = unknownNames(pasted, listed);
      try {
        const found = missing.length === 0 ? [] : await this.calls.find(missing.slice(0, LINES_MAX));
        const index = found.length === 0 ? listed : indexRows([...this.#list.all(), ...found]);
        this.#report = this.#take(targetsOf(pasted, chosen, index), pasted.isCut);
      } catch (error) {
        this.#report = { taken: 0, unchanged: 0, problems: [], problemCount: 0, isCut: false, error };
      }
    });
    if ((this.#report?.taken ?? 0) > 1) this.showOnlyEdits(true);
  }

  /** Puts the report of the latest paste away. */
  forgetReport(): void {
    this.#report = undefined;
    this.#list.changed();
  }

  /** Sends all that is ready, batch after batch, each edit once. What is not applied stays as it was typed. */
  async apply(): Promise<void> {
    await this.#busy(async () => {
      this.sheet.dropApplied();
      const { reason } = this;
      const left = new Set([...this.sheet.all()].filter((edit) => this.sheet.isReady(edit)).map(({ key }) => key));
      while (left.size > 0) {
        const edits = this.sheet.send(BATCH_EDITS_MAX, left);
        for (const { key } of edits) left.delete(key);
        if (edits.length === 0) break;
        this.#list.changed();
        const request = batchRequest(edits, this.kind, reason);
        try {
          const levels = takeVerdicts(this.sheet, edits, await this.calls.batch(request));
          for (const level of levels) this.#answered.set(keyOf(level), level);
        } catch (error) {
          takeFailure(this.sheet, edits, error);
        }
      }
    });
    this.showOnlyEdits(this.sheet.size > 0);
  }

  /** What was typed for a place shall replace what stands there now. */
  keepMine(key: RowKey): void {
    const row = this.row(key);
    if (row !== undefined) this.sheet.keepMine(key, this.#newer(row), this.calls.nowMs());
    this.#list.changed();
  }

  /** Gives up what was typed for a place. */
  drop(key: RowKey): void {
    this.sheet.drop(key);
    if (this.#review !== undefined) this.#review = this.#review.filter((each) => each !== key);
    if (this.#review?.length === 0) this.#review = undefined;
    this.#list.changed();
  }

  /** Gives up all that was typed and is not under way. */
  clear(): void {
    this.sheet.clear();
    for (const { goodsId, locationId, version } of this.#answered.values()) {
      const key = keyOf({ goodsId, locationId });
      if ((this.#list.get(key)?.version ?? 0) >= version) this.#answered.delete(key);
    }
    this.#report = undefined;
    this.showOnlyEdits(false);
  }

  #take(targets: ReturnType<typeof targetsOf>, isCut: boolean): PasteReport {
    const nowMs = this.calls.nowMs();
    const [problems, counts] = [[] as PasteReport["problems"][number][], { taken: 0, unchanged: 0 }];
    for (const { line: { line, text, num }, row, problem } of targets) {
      if (row === undefined) problems.push({ line, text, problem });
      else if (!this.sheet.type(this.#newer(row), String(num), nowMs)) problems.push({ line, text, problem: "full" });
      else if (this.sheet.get(keyOf(row))?.problem === "unchanged") {
        counts.unchanged++;
        this.sheet.drop(keyOf(row));
      } else counts.taken++;
    }
    return { ...counts, problems: problems.slice(0, PROBLEMS_MAX), problemCount: problems.length, isCut };
  }

  /**
   * The row with what the latest answer says of it, where that is newer than what is listed: the list hears of what was
   * applied a moment later, and whoever goes on at once would be in conflict with themselves.
   */
  #newer(row: Row): Row {
    const answered = this.#answered.get(keyOf(row));
    return answered !== undefined && answered.version > row.version ? { ...row, ...answered } : row;
  }

  async #busy(work: () => Promise<void>): Promise<void> {
    if (this.#isBusy) return;
    this.#isBusy = true;
    this.#list.changed();
    try {
      await work();
    } finally {
      this.#isBusy = false;
      this.#list.changed();
    }
  }
}

/** Lower: it needs a look sooner. */
function urgency({ state, problem, now }: Edit): number {
  if (state === "conflict" || state === "refused") return 0;
  if (problem !== undefined) return 1;
  if (state === "unknown") return 2;
  if (state === "open" && now !== undefined) return 3;
  return state === "applied" ? 5 : 4;
}
