/**
 * What has to be read of a batch, and how it is then decided: all entries whose goods were read, together, by one
 * `settle`; or without a read, by `settleKept`.
 */
import { keyOf } from "../inventory/stock_key.ts";
import { invariant } from "../base/invariant.ts";
import { type Changes, type Moment, type Snapshot, takenKey, type Verdict } from "../inventory/model.ts";
import { changedOrder, rulesOf } from "../inventory/operations/operation.ts";
import type { Buyer } from "../inventory/operations/rules.ts";
import { changesNothing, type settle, type Settled } from "../inventory/settle.ts";
import { type KeptSnapshot, type settleKept, verdictAt } from "../inventory/settle_kept.ts";
import type { OutcomeUnknownError } from "../store/errors.ts";
import type { SnapshotKeys } from "../store/statements/read_snapshot.ts";
import { type Entry, keysOfAll } from "./entry.ts";
import type { Guard } from "./modes/mode.ts";

/** The keys of all that is known of the entries. */
export function keysOf(entries: readonly Entry[]): SnapshotKeys {
  const orderIds = new Set<string>();
  const operationIds = new Set<string>();
  // Each once, as whatever a buyer has is added up for it.
  const buyers = new Map<string, Buyer>();
  const moments: Moment[] = [];
  for (const { operation, order } of entries) {
    const records = rulesOf(operation).records(operation, order);
    for (const id of records.orderIds ?? []) orderIds.add(id);
    for (const id of records.operationIds ?? []) operationIds.add(id);
    for (const buyer of records.buyers ?? []) buyers.set(takenKey(keyOf(buyer), buyer.buyerId), buyer);
    if (records.moments !== undefined) moments.push(...records.moments);
  }
  return {
    stockKeys: keysOfAll(entries),
    orderIds: [...orderIds],
    operationIds: [...operationIds],
    ...(buyers.size === 0 ? {} : { buyers: [...buyers.values()] }),
    ...(moments.length === 0 ? {} : { moments }),
  };
}

/** What a decision is made with. */
export interface DecisionParts {
  readonly settle: typeof settle;
  readonly settleKept: typeof settleKept;
  /** Time that a write may take, in ms; nothing is written under a lease that has less left. */
  readonly writeMsMax: number;
}

/** What one attempt decides of the entries of its group, once their snapshot is read. */
export class Decision {
  /** Those that it is about: all at first, and those that were decided in the end, sorted by arrival. */
  entries: readonly Entry[];
  /** To be queued again; as in Requeued of requeued.ts. */
  moved: readonly Entry[] = [];
  next: readonly Entry[] = [];
  /** Decided, and not to be written as the lease had too little time left. */
  leaseLost: readonly Entry[] = [];
  /** Those of `next` that wait until what is due is off, where nothing else is to be written. */
  #waiting: readonly Entry[] = [];
  /** Of the entries, in their sequence. */
  #verdicts: readonly Verdict[] = [];
  readonly #guard: Guard;
  readonly #parts: DecisionParts;

  constructor(entries: readonly Entry[], guard: Guard, parts: DecisionParts) {
    this.entries = entries;
    this.#guard = guard;
    this.#parts = parts;
  }

  /** Decides them; answers what is to be written, or undefined for nothing. */
  async make(snapshot: Snapshot): Promise<Changes | undefined> {
    const moved = this.entries.filter((entry) => learnGoods(entry, snapshot));
    const ahead = moved[0] === undefined ? this.entries : this.entries.slice(0, this.entries.indexOf(moved[0]));
    // Whoever stands behind one of them may want its goods, and must not go before it.
    const behind = this.entries.slice(ahead.length).filter((entry) => !moved.includes(entry));
    const begun = ahead.filter((entry) => entry.begin());
    [this.moved, this.next, this.entries] = [moved, behind, begun];
    const { verdicts, changes } = this.#parts.settle(snapshot, begun.map((entry) => entry.operation));
    const undecided = begun.slice(verdicts.length);
    for (const entry of undecided) entry.pause();
    this.next = [...behind, ...undecided];
    this.entries = begun.slice(0, verdicts.length);
    this.#verdicts = verdicts;
    if (changesNothing(changes)) return undefined;
    if (verdicts.length === 0) this.#waiting = undecided;
    return await this.#covered(changes) ? changes : undefined;
  }

  /**
   * Decides them without a read, on levels that are kept; answers what is to be written, or undefined for nothing.
   * "to be read for": nothing was decided. Where the write is lost to the fence they are to be {@link undo}ne.
   */
  async makeUnread(kept: KeptSnapshot): Promise<Changes | undefined | "to be read for"> {
    const entries = this.entries.filter((entry) => !entry.leave());
    const settled: Settled | undefined = this.#parts.settleKept(kept, entries.map((entry) => entry.operation));
    if (settled === undefined) return "to be read for";
    for (const entry of entries) entry.begin();
    [this.entries, this.#verdicts] = [entries, settled.verdicts];
    if (changesNothing(settled.changes)) return undefined;
    return await this.#covered(settled.changes) ? settled.changes : undefined;
  }

  /** What was decided without a read was written at this time, in ms since 1970. */
  writtenAt(atMs: number): void {
    this.#verdicts = this.#verdicts.map((verdict) => verdictAt(verdict, atMs));
  }

  /** What was decided counts no more: nothing of it was written, and they are to be decided again. */
  undo(): void {
    for (const entry of this.entries) entry.pause();
  }

  /** Whether the lease lasts for the write; else they are {@link leaseLost}. */
  async #covered({ levels }: Changes): Promise<boolean> {
    const stockKeys = levels.map(({ after }) => keyOf(after));
    if (await this.#guard.extend(stockKeys, this.#parts.writeMsMax)) return true;
    this.chargeWaiting();
    [this.leaseLost, this.entries] = [this.entries, []];
    return false;
  }

  /**
   * Nothing could be written. Where that was what is due alone, it is those who wait for it that were tried in vain:
   * requeued like others of `next` they would be tried at once, as if for the first time, for as long as it fails.
   */
  chargeWaiting(): void {
    const waiting = this.#waiting;
    if (waiting.length === 0) return;
    this.#waiting = [];
    this.next = this.next.filter((entry) => !waiting.includes(entry));
    this.entries = waiting;
  }

  /** A write of them was lost. Who was refused, or only wanted to know, has no part in it. */
  noteLostWrite(error: OutcomeUnknownError): void {
    this.entries.forEach((entry, i) => {
      if (this.#verdicts[i]?.ok === true && entry.operation.dryRun !== true) entry.lostWrite = error;
    });
  }

  /** What was decided stands. */
  answer(): void {
    this.entries.forEach((entry, i) => {
      const verdict = this.#verdicts[i];
      invariant(verdict !== undefined, "settle gave no verdict for an operation");
      entry.answer(verdict);
    });
  }
}

/** Whether the snapshot shows that the entry moves goods for which it was not queued; it knows them from now on. */
function learnGoods(entry: Entry, snapshot: Snapshot): boolean {
  const { operation, order, stockKeys } = entry;
  const orderId = changedOrder(operation);
  if (orderId === undefined) return false;
  const now = snapshot.orders.get(orderId);
  const keys = rulesOf(operation).keysOf(operation, now);
  // What a buyer has is read for the buyer that the order had.
  const isKnown = keys.every((stockKey) => stockKeys.includes(stockKey)) &&
    (!rulesOf(operation).keysNeedOrder || order?.buyerId === now?.buyerId);
  if (!isKnown) entry.learn(now);
  return !isKnown;
}
