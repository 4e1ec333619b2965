/** A ledger in memory, streams of changes over it, and what they say. */
import { assert } from "@std/assert";
import { settled } from "../../src/base/bounded_wait.ts";
import { DatabaseUnavailableError } from "../../src/store/errors.ts";
import { tailKeyOf, type TailRead, type TailRow } from "../../src/store/statements/tail_rows.ts";
import { hasSeen } from "../../src/store/transaction_snapshot.ts";
import type { InvEvent } from "../../src/watch/events.ts";
import type { LivePosition } from "../../src/watch/position.ts";
import type { TailerParts } from "../../src/watch/tailer.ts";
import { Watching, type WatchingParts } from "../../src/watch/watching.ts";
import { SILENT } from "./silent_log.ts";

/** No abort. */
export const NEVER: AbortSignal = new AbortController().signal;
/** Bound of a wait for what a stream says. */
export const WAIT_MS = 20_000;
/** The first transaction. */
export const FIRST = 100;

/** A row of the ledger: one unit came to a goods, which has as many as its version says. */
export function row(goodsId: number, version: number, xid: number): TailRow {
  const numbers = { onHandDelta: 1, reservedDelta: 0, onHandAfter: version, reservedAfter: 0 };
  const ids = { orderId: undefined, operationId: undefined };
  return { goodsId, locationId: 0, version, kind: "adjust", ...ids, ...numbers, atMs: xid, atUs: xid * 1000, xid };
}

/** A database of one table, in which each transaction has one row, and whose clock is their ids. */
export class Ledger {
  readonly rows: TailRow[] = [];
  /** Its tailer can't read. */
  isAway = false;
  /** What its tailer's reads wait for. */
  held: PromiseWithResolvers<void> | undefined;
  #next = FIRST;
  readonly #versions = new Map<number, number>();

  write(goodsId: number): void {
    const version = (this.#versions.get(goodsId) ?? 0) + 1;
    this.#versions.set(goodsId, version);
    this.rows.push(row(goodsId, version, this.#next++));
  }

  #read(rows: readonly TailRow[], limit = Infinity): TailRead {
    const page = rows.slice(0, limit);
    const next = rows.length > limit ? tailKeyOf(page.at(-1)!) : undefined;
    return { snapshot: { xmax: this.#next, xip: [] }, nowUs: this.#next * 1000, rows: page, levels: [], next };
  }

  readonly past = {
    scan: ({ after, upTo, key, limit }: Parameters<TailerParts["source"]["scan"]>[0]) => {
      const rows: TailRow[] = [];
      for (
        let i = key === undefined ? 0 : key[0] / 1000 - FIRST + 1;
        i < this.rows.length && rows.length <= limit;
        i++
      ) {
        const { xid } = this.rows[i]!;
        if ((after === undefined || !hasSeen(after, xid)) && (upTo === undefined || hasSeen(upTo, xid))) {
          rows.push(this.rows[i]!);
        }
      }
      return Promise.resolve(this.#read(rows, limit));
    },
    versions: () => Promise.resolve(this.#read([])),
    isThere: () => Promise.resolve(true),
  };

  readonly source: TailerParts["source"] = {
    ...this.past,
    identify: () => Promise.resolve("1-1"),
    xids: ({ from }) => {
      const { snapshot, nowUs } = this.#read([]);
      const xids = this.rows.map(({ xid }) => xid).filter((xid) => xid >= from);
      return Promise.resolve({ snapshot, nowUs, xids, newest: this.rows.at(-1) });
    },
    writers: () => Promise.resolve({ nowUs: this.#next * 1000, xids: [] }),
    read: async ({ after }) => {
      if (this.isAway) throw new DatabaseUnavailableError("away");
      await this.held?.promise;
      const page = this.#read(this.rows.filter(({ xid }) => !hasSeen(after, xid)));
      return { ...page, isPastThere: true };
    },
    onCommitted: () => {},
  };

  open(
    caughtUpRowsMax?: number,
    times: Partial<Pick<WatchingParts, "ageMsMax" | "snapshotMsMax" | "startMsMax">> = {},
  ): Watching {
    const rest = { random: () => 0, ageMsMax: 600_000, heartbeatMs: 100, ...times };
    return new Watching({ source: this.source, log: SILENT, caughtUpRowsMax, ...rest });
  }
}

/** A stream of all levels, without a snapshot. */
export function invOf(watching: Watching, ledger: Ledger, from?: LivePosition, filter = {}): AsyncGenerator<InvEvent> {
  const reads = { ...ledger.past, levels: () => Promise.reject(new Error("no snapshot was asked for")) };
  return watching.inv({ filter, from, changesOnly: true }, reads, NEVER);
}

/** The next thing that a stream says. */
export async function next<E>(events: AsyncGenerator<E>): Promise<E> {
  const answer = events.next();
  assert(await settled(answer, WAIT_MS), "the stream says nothing");
  const { value, done } = await answer;
  assert(!done, "the stream ended");
  return value;
}

/** The goods of the changes that a stream brings. */
export function goodsOf(event: InvEvent): number[] {
  return event.kind === "changes" ? event.changes.map(({ change }) => change.level.goodsId) : [];
}

/** Where a stream stands that has seen everything. */
export async function positionOf(watching: Watching, ledger: Ledger): Promise<LivePosition> {
  const events = invOf(watching, ledger);
  const { position } = await next(events);
  await events.return(undefined);
  assert(position !== undefined);
  return position;
}
