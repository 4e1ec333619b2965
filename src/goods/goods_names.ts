/**
 * Which goods a sku names. A sku never moves to another goods, so what was once read of one is true for good and is
 * kept; that a sku names nothing is read each time, for it may be given in the next moment.
 */
import { NEVER } from "../base/never.ts";
import { readAgain, writeAgain } from "../lanes/again.ts";
import { CoalescedReads, readFor } from "../lanes/coalesced_reads.ts";
import { failureOf } from "../lanes/failure.ts";
import type { NamedGoods } from "../store/statements/goods.ts";
import type { Store } from "../store/store.ts";
import { Recent } from "../base/recent.ts";

/** Skus whose goods are kept: 256 bytes each at most, and as much for the entry. */
const KEPT_SKUS_MAX = 50_000;
/** Names in one read, and reads of one kind at a time. */
const READ_NAMES_MAX = 1000;
const READS_MAX = 2;
/** Ids that one attempt to make one looks at, and attempts. */
const CANDIDATES_MAX = 1000;
const ATTEMPTS_MAX = 10;

/** The bounds of what may wait. */
export interface GoodsNamesLimits {
  /** Names that calls may wait for; those of one message always fit. */
  readonly waitingMax: number;
}

/** What became of a naming. */
export type NamingResult =
  | { readonly ok: true; readonly goods: NamedGoods }
  /** Whose the sku is, or what the goods is called. */
  | { readonly ok: false; readonly taken: NamedGoods }
  /** No id could be made. */
  | { readonly ok: false; readonly taken: undefined };

/** The names of goods, as calls ask for them. Throws Failure, or the signal's reason. */
export class GoodsNames {
  readonly #store: Pick<Store, "nameGoods">;
  readonly #kept = new Recent<string, number>(KEPT_SKUS_MAX);
  readonly #skus: CoalescedReads<string, NamedGoods>;
  readonly #goods: CoalescedReads<number, NamedGoods>;

  constructor(store: Pick<Store, "readSkus" | "readGoods" | "nameGoods">, { waitingMax }: GoodsNamesLimits) {
    const limits = { readsMax: READS_MAX, keysMax: READ_NAMES_MAX, waitingMax };
    this.#store = store;
    this.#skus = new CoalescedReads((skus) => readAgain(() => store.readSkus(skus, NEVER)), limits);
    this.#goods = new CoalescedReads((ids) => readAgain(() => store.readGoods(ids, NEVER)), limits);
  }

  /** The goods id of a sku in its form NFC, where this process has learnt it. */
  kept(sku: string): number | undefined {
    return this.#kept.get(sku);
  }

  /** The goods ids of these skus, each in its form NFC; of one that names nothing there is none. */
  async ids(skus: readonly string[], signal: AbortSignal, address?: string): Promise<ReadonlyMap<string, number>> {
    const ids = new Map<string, number>();
    const asked: string[] = [];
    for (const sku of new Set(skus)) {
      const id = this.#kept.get(sku);
      if (id === undefined) asked.push(sku);
      else ids.set(sku, id);
    }
    const found = await read(this.#skus, asked, signal, address);
    for (const sku of asked) {
      const id = found.get(sku)?.goodsId;
      if (id === undefined) continue;
      this.#kept.set(sku, id);
      ids.set(sku, id);
    }
    return ids;
  }

  /** The goods with this id, or this sku; undefined: there is none. */
  async find(
    { goodsId, sku }: { readonly goodsId: number; readonly sku: string | undefined },
    signal: AbortSignal,
    address?: string,
  ): Promise<NamedGoods | undefined> {
    return sku === undefined
      ? (await read(this.#goods, [goodsId], signal, address)).get(goodsId)
      : (await read(this.#skus, [sku], signal, address)).get(sku);
  }

  /** Gives the sku to the goods; without an id, to a goods of an id that is made. Once: a retry finds what is there. */
  async name(sku: string, goodsId: number | undefined, signal: AbortSignal): Promise<NamingResult> {
    try {
      return await writeAgain(
        () => this.#name(sku, goodsId, signal),
        (result) => !result.ok && result.taken === undefined,
      );
    } catch (error) {
      signal.throwIfAborted();
      throw failureOf(error);
    }
  }

  /** What a naming would come to now; it changes nothing. An id that would be made is 0. */
  async wouldName(
    sku: string,
    goodsId: number | undefined,
    signal: AbortSignal,
    address?: string,
  ): Promise<NamingResult> {
    const [named, called] = await Promise.all([
      this.find({ goodsId: 0, sku }, signal, address),
      goodsId === undefined ? undefined : this.find({ goodsId, sku: undefined }, signal, address),
    ]);
    if (named !== undefined) {
      return goodsId === undefined || named.goodsId === goodsId
        ? { ok: true, goods: named }
        : { ok: false, taken: named };
    }
    if (called?.sku !== undefined) return { ok: false, taken: called };
    return { ok: true, goods: { goodsId: goodsId ?? 0, sku } };
  }

  async #name(sku: string, goodsId: number | undefined, signal: AbortSignal): Promise<NamingResult> {
    for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt++) {
      const rows = await this.#store.nameGoods({ sku, goodsId, candidatesMax: CANDIDATES_MAX }, signal);
      const goods = rows.find((row) => row.sku === sku && row.goodsId === (goodsId ?? row.goodsId));
      if (goods !== undefined) {
        this.#kept.set(sku, goods.goodsId);
        return { ok: true, goods };
      }
      const [taken] = rows;
      if (taken !== undefined) return { ok: false, taken };
    }
    return { ok: false, taken: undefined };
  }
}

/** Reads by pieces, so that no statement is longer than the others. */
async function read<K, V>(
  reads: CoalescedReads<K, V>,
  keys: readonly K[],
  signal: AbortSignal,
  address: string | undefined,
): Promise<ReadonlyMap<K, V>> {
  const pieces = Array.from(
    { length: Math.ceil(keys.length / READ_NAMES_MAX) },
    (_, i) => keys.slice(i * READ_NAMES_MAX, (i + 1) * READ_NAMES_MAX),
  );
  const found = await readFor(Promise.all(pieces.map((piece) => reads.get(piece, address))), signal);
  return found.length === 1 ? found[0]! : new Map(found.flatMap((each) => [...each]));
}
