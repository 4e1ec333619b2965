/** What the goods page shows, without an element: the list, the changes that come to it, the chosen rows, the edits. */
import { type EditCalls, type EditedList, EditSession } from "./edit_session.ts";
import { type EditKind, EDITS_MAX } from "./edit_sheet.ts";
import { fits } from "./fits.ts";
import { FrameTurns, type NextFrame } from "./frame_turns.ts";
import { GoodsList, type ListCalls, type ListTotal } from "./goods_list.ts";
import { type ListState, listsTheSame, type PageMode, readListState } from "./list_state.ts";
import { keyOf, type Row, type RowKey } from "./row.ts";
import { Selection } from "./selection.ts";

/** What the page asks the server and the browser for. */
export interface ModelCalls extends ListCalls, EditCalls {
  readonly nextFrame: NextFrame;
}

/** What happened: rows changed, and only rows; or anything else did. */
export type ModelListener = (changed: ReadonlySet<RowKey> | "all") => void;

/** State of the page; elements subscribe to it and draw what they read here. */
export class GoodsModel {
  readonly selection = new Selection();
  #state = readListState(new URLSearchParams());
  #list: GoodsList | undefined;
  /** One that is read to take the place of the one that is shown. */
  #next: GoodsList | undefined;
  /** Rows up to this one are in view; and those that the next list must have before it is shown. */
  #viewEnd = 0;
  #due = 0;
  #isSelectingAll = false;
  #isSelectionCut = false;
  #setKind: Exclude<EditKind, "count"> = "available";
  readonly #listeners = new Set<ModelListener>();
  readonly #turns: FrameTurns<RowKey, Row>;

  /** `sessions` are kept by whoever keeps edits for longer than a page. */
  constructor(
    private readonly calls: ModelCalls,
    private readonly sessions: Map<EditKind, EditSession> = new Map(),
  ) {
    for (const session of sessions.values()) session.show(this.#edited, calls);
    this.#turns = new FrameTurns(
      calls.nextFrame,
      (row, than) => row.version > than.version,
      (rows) => this.#apply(rows),
    );
  }

  /** Calls back when something is to be drawn anew, until what it answers is called. */
  subscribe(listener: ModelListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** By the server's clock. */
  get nowMs(): number {
    return this.calls.nowMs();
  }

  get state(): ListState {
    return this.#state;
  }

  /** The list that is shown; while another is read for the first time, the one before. */
  get list(): GoodsList | undefined {
    return this.#list;
  }

  /** Another list is being read. */
  get isReading(): boolean {
    return this.#next !== undefined || this.#list?.status === "first";
  }

  /** The edits of the mode; undefined while rows are only looked at. */
  get session(): EditSession | undefined {
    const { mode } = this.#state;
    return mode === "view" ? undefined : this.sessionOf(mode === "count" ? "count" : this.#setKind);
  }

  /** The edits of a kind, whether or not they are shown. */
  sessionOf(kind: EditKind): EditSession {
    const known = this.sessions.get(kind);
    if (known !== undefined) return known;
    const made = new EditSession(kind, this.calls);
    made.show(this.#edited, this.calls);
    this.sessions.set(kind, made);
    return made;
  }

  /** Whether quantities that are set are those available or those on hand. */
  setBasis(kind: Exclude<EditKind, "count">): void {
    this.#setKind = kind;
    this.#notify("all");
  }

  /** Edits of a mode that are not applied. */
  unsaved(mode: PageMode): number {
    const kinds: readonly EditKind[] = mode === "view" ? [] : mode === "count" ? ["count"] : ["available", "on_hand"];
    const edits = kinds.flatMap((kind) => [...this.sessions.get(kind)?.sheet.all() ?? []]);
    return edits.filter(({ state }) => state !== "applied").length;
  }

  /** Rows that are shown: of the list, or the edited ones alone. */
  get count(): number {
    return this.session?.review?.length ?? this.#list?.count ?? 0;
  }

  /** The row at an index; undefined: it is not read yet. */
  at(index: number): Row | undefined {
    const session = this.session;
    const key = session?.review?.[index];
    return key === undefined ? this.#list?.at(index) : session?.row(key);
  }

  /** Whether a row meets the filters of the list that it is shown in. */
  fits(row: Row): boolean {
    return this.#list === undefined || fits(row, this.#list.state);
  }

  /** Rows up to this index are in view. */
  look(end: number): void {
    this.#viewEnd = end;
    this.#list?.want(end);
  }

  /** Shows what an address says. */
  show(state: ListState): void {
    const isSame = this.#list !== undefined && listsTheSame(state, this.#state);
    this.#state = state;
    if (!isSame) {
      this.selection.clear();
      this.#read(0, undefined);
    }
    this.#notify("all");
  }

  /** Reads the list anew: what is new is in it, and what fits no more is not. What is in view stays so meanwhile. */
  refresh(): void {
    this.#read(this.#viewEnd, this.#list?.total);
    this.#notify("all");
  }

  /** Rows as they stand since changes; taken in before the next frame. */
  note(rows: Iterable<Row>): void {
    for (const row of rows) this.#turns.add(keyOf(row), row);
  }

  /** Chooses every row of the list, once all are read. */
  selectAll(): void {
    this.#list?.want(this.#list.count);
    this.#isSelectingAll = true;
    this.#selectAll();
    this.#notify("all");
  }

  /** Every row was to be chosen, and there are more than can be. */
  get isSelectionCut(): boolean {
    return this.#isSelectionCut;
  }

  /** Something was done to the selection. */
  selected(): void {
    this.#isSelectingAll = this.#isSelectionCut = false;
    this.#notify("all");
  }

  /** Nothing is read or taken in any more. */
  close(): void {
    this.#turns.stop();
    this.#list?.close();
    this.#next?.close();
    this.#list = this.#next = undefined;
  }

  #read(due: number, total: ListTotal | undefined): void {
    this.#next?.close();
    const changed = () => this.#listChanged(list);
    const list: GoodsList = new GoodsList(this.#state, this.calls.nowMs(), this.calls, changed, total);
    this.#next = list;
    this.#due = due;
    list.want(due);
    if (this.#list === undefined) this.#take(list);
  }

  #listChanged(list: GoodsList): void {
    if (list === this.#next && list.has(this.#due)) this.#take(list);
    this.#selectAll();
    this.#notify("all");
  }

  #selectAll(): void {
    const isWhole = this.session?.review !== undefined || this.#list?.status === "whole" ||
      this.#list?.status === "full";
    if (!this.#isSelectingAll || (!isWhole && this.selection.size < EDITS_MAX && this.count < EDITS_MAX)) return;
    this.#isSelectingAll = false;
    this.#isSelectionCut = !this.selection.all(this);
  }

  #take(list: GoodsList): void {
    this.#list?.close();
    this.#list = list;
    this.#next = undefined;
  }

  #apply(rows: ReadonlyMap<RowKey, Row>): void {
    this.#next?.apply(rows.values());
    const noted = [this.#list?.newcomers, this.#list?.isMoved].join();
    const changed = this.#list?.apply(rows.values()) ?? [];
    for (const { sheet } of this.sessions.values()) {
      if (sheet.size > 0) { for (const row of rows.values()) sheet.noteChange(row); }
    }
    // In an empty list nobody has a place to lose.
    if (this.#list?.count === 0 && this.#list.newcomers > 0 && this.#next === undefined) this.refresh();
    else if ([this.#list?.newcomers, this.#list?.isMoved].join() !== noted) this.#notify("all");
    else if (changed.length > 0) this.#notify(new Set(changed));
  }

  readonly #edited: EditedList = {
    get: (key) => this.#row(key),
    all: () => this.#rows(),
    changed: () => this.#notify("all"),
  };

  #row(key: RowKey): Row | undefined {
    const store = this.#list?.store;
    const slot = store?.slotOf(key);
    return slot === undefined ? undefined : store?.at(slot);
  }

  *#rows(): Iterable<Row> {
    const store = this.#list?.store;
    for (let slot = 0; slot < (store?.count ?? 0); slot++) yield store!.at(slot)!;
  }

  #notify(changed: ReadonlySet<RowKey> | "all"): void {
    for (const listener of this.#listeners) listener(changed);
  }
}
