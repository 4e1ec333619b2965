/**
 * The grid of edits: for each place that somebody typed or pasted a quantity for, what stood there then, what it shall
 * be, and what came of it. Nothing that was typed is ever dropped but by whoever typed it, or as it was applied.
 *
 *     open ──send──> sending ──verdict──> applied
 *      ^  <──retype─── │ ───verdict──> conflict   (another number stands there: kept here, shown beside)
 *      │               ├───verdict──> refused    (with the reason)
 *      │               └───no answer─> unknown    (perhaps applied; sending it again finds out)
 *      └── retype, or "keep mine" on a conflict, from each of the three
 *
 * Sending is possible from open and unknown. A quantity that can't be read is open with a problem and is not sent.
 */
import type { ConnectError } from "@connectrpc/connect";
import { invariant } from "../../base/invariant.ts";
import { type NumberProblem, readQuantity } from "./numbers.ts";
import { keyOf, type Row, type RowKey } from "./row.ts";

/** What is entered: a quantity to be available, one to be on hand, or what was counted on hand. */
export type EditKind = "available" | "on_hand" | "count";

/** Rows that one sheet has at most. */
export const EDITS_MAX = 5000;

export type EditState = "open" | "sending" | "applied" | "conflict" | "refused" | "unknown";

/** Why a quantity can't be applied, as far as is known before it is sent. */
export type EditProblem = NumberProblem | "deleted" | "below_reserved" | "unchanged";

/** One edited place. */
export interface Edit {
  readonly key: RowKey;
  /** As the row was when the quantity was typed: the quantity is set only if that still stands. */
  readonly seen: Row;
  readonly text: string;
  /** Undefined: the text is no quantity. */
  readonly after: number | undefined;
  readonly problem: EditProblem | undefined;
  readonly state: EditState;
  /** When it was typed, in ms since 1970: a count is of that moment. */
  readonly typedAtMs: number;
  /** Of a count: names it, so that sending it again counts once. */
  readonly operationId: string;
  /** What stands there, where it is not what was seen. */
  readonly now: number | undefined;
  /** What the server answered instead of applying it, as the error of a single call. */
  readonly refusal: ConnectError | undefined;
}

/** What of a row an edit of a kind is about. */
export function quantityOf(row: Pick<Row, "num" | "onHand">, kind: EditKind): number {
  return kind === "available" ? row.num : row.onHand;
}

/** All edits of one kind, in the sequence in which their places were first edited. */
export class EditSheet {
  readonly #edits = new Map<RowKey, Edit>();

  /** `makeId` names counts. */
  constructor(readonly kind: EditKind, private readonly makeId: () => string) {}

  get size(): number {
    return this.#edits.size;
  }

  /** Every edit. */
  all(): IterableIterator<Edit> {
    return this.#edits.values();
  }

  get(key: RowKey): Edit | undefined {
    return this.#edits.get(key);
  }

  /** What stood there when it was typed. */
  before({ seen }: Edit): number {
    return quantityOf(seen, this.kind);
  }

  /**
   * A text is typed for a row as it stands; an empty one takes an edit back. False: a sheet has as many as it may, or
   * the edit is being sent.
   */
  type(row: Row, text: string, nowMs: number): boolean {
    const key = keyOf(row);
    const earlier = this.#edits.get(key);
    if (earlier?.state === "sending") return false;
    const read = readQuantity(text);
    const value = "value" in read ? read.value : undefined;
    if (text.trim() === "") {
      this.#edits.delete(key);
      return true;
    }
    if (earlier === undefined && this.#edits.size >= EDITS_MAX) return false;
    this.#edits.set(key, {
      key,
      seen: row,
      text,
      after: value,
      problem: "problem" in read ? read.problem : problemOf(row, read.value, this.kind),
      state: "open",
      typedAtMs: nowMs,
      operationId: this.makeId(),
      now: undefined,
      refusal: undefined,
    });
    return true;
  }

  /** A row changed: an open edit of it says so before it is sent. A count stands, whatever comes and goes after it. */
  noteChange(row: Row): void {
    const edit = this.#edits.get(keyOf(row));
    if (edit === undefined || this.kind === "count" || edit.state !== "open" && edit.state !== "conflict") return;
    // The change before that which was seen, which comes late.
    if (row.version < edit.seen.version) return;
    const now = quantityOf(row, this.kind);
    if (edit.state === "open") this.#put(edit, { now: now === this.before(edit) ? undefined : now });
    else if (row.version > edit.seen.version) this.#put(edit, { now });
  }

  /** Whether an edit is sent next. */
  isReady({ state, problem, after }: Edit): boolean {
    return (state === "open" || state === "unknown") && problem === undefined && after !== undefined;
  }

  /** Edits of these that can be sent, at most `max`; they are being sent from now on. */
  send(max: number, keys: ReadonlySet<RowKey> = new Set(this.#edits.keys())): readonly Edit[] {
    const ready = [...this.#edits.values()].filter((edit) => keys.has(edit.key) && this.isReady(edit)).slice(0, max);
    return ready.map((edit) => this.#put(edit, { state: "sending", refusal: undefined }));
  }

  /** An edit that was sent was applied. */
  applied(key: RowKey): void {
    this.#put(this.#sent(key), { state: "applied", now: undefined });
  }

  /** Something else stands there; where that is what was wanted, an earlier sending of the same was applied. */
  conflicted(key: RowKey, now: number): void {
    const edit = this.#sent(key);
    this.#put(edit, now === edit.after ? { state: "applied", now: undefined } : { state: "conflict", now });
  }

  /** It was refused for good, as it is. */
  refused(key: RowKey, refusal: ConnectError): void {
    this.#put(this.#sent(key), { state: "refused", refusal });
  }

  /** No answer came, or one that says that nobody knows. */
  lost(key: RowKey, refusal: ConnectError): void {
    this.#put(this.#sent(key), { state: "unknown", refusal });
  }

  /** The number that was typed shall replace what stands there now, which `row` is. */
  keepMine(key: RowKey, row: Row, nowMs: number): boolean {
    const edit = this.#edits.get(key);
    return edit !== undefined && this.type(row, edit.text, nowMs);
  }

  /** Whatever was typed for a place is given up; not while it is being sent. */
  drop(key: RowKey): void {
    if (this.#edits.get(key)?.state !== "sending") this.#edits.delete(key);
  }

  /** Whoever typed is done with a place: the quantity that is there anyhow is no edit. */
  settle(key: RowKey): void {
    if (this.#edits.get(key)?.problem === "unchanged") this.#edits.delete(key);
  }

  /** Those that were applied are over. */
  dropApplied(): void {
    for (const { key, state } of this.#edits.values()) if (state === "applied") this.#edits.delete(key);
  }

  /** Everything is given up but for what is being sent. */
  clear(): void {
    for (const key of this.#edits.keys()) this.drop(key);
  }

  #sent(key: RowKey): Edit {
    const edit = this.#edits.get(key);
    invariant(edit?.state === "sending", `a verdict on an edit that is ${edit?.state ?? "not there"}`);
    return edit!;
  }

  #put(edit: Edit, change: Partial<Edit>): Edit {
    const changed = { ...edit, ...change };
    this.#edits.set(edit.key, changed);
    return changed;
  }
}

function problemOf(row: Row, value: number, kind: EditKind): EditProblem | undefined {
  if (row.deletedAtMs !== undefined) return "deleted";
  // A count that finds what is on record says that somebody looked.
  if (kind !== "count" && value === quantityOf(row, kind)) return "unchanged";
  return kind !== "available" && value < row.reserved ? "below_reserved" : undefined;
}
