/**
 * What the lanes ask of leases. In the ways without Redis nobody asks anybody, and everything is ours.
 */

/** Goods that can't be had now. `afterMs`: when this process may ask again; undefined: somebody else has them. */
export interface Refused {
  readonly goodsIds: readonly number[];
  readonly afterMs: number | undefined;
  readonly error: Error;
}

/** Leases by goods. One batch at a time may use a goods; whoever asks sees to that. */
export interface Leases {
  /**
   * Makes all of the goods ours, asking for those that are not yet, all together; answers which can't be had, and then
   * none was taken. Throws QuorumLostError.
   */
  take(goodsIds: readonly number[]): Promise<Refused | undefined>;
  /** Whether all of the goods are ours for so long, renewing what has less left. Never rejects. */
  keep(goodsIds: readonly number[], neededMs: number): Promise<boolean>;
  /** Milliseconds for which all of the goods are still ours; 0 or less: some may be somebody else's by now. */
  remainingMs(goodsIds: readonly number[]): number;
  /** A batch on these goods is over. Those that are ours stay so until they are let go. */
  afterBatch(goodsIds: Iterable<number>): void;
  /** Of these goods, lets go of those that no batch has and nobody here wants. */
  releaseIdle(goodsIds: Iterable<number>, isWanted: (goodsId: number) => boolean): void;
  /** Of these goods, lets go of those that no batch has and whose turn it is to be somebody else's. Never rejects. */
  releaseDue(goodsIds: Iterable<number>): Promise<void>;
  /** Lets go of everything. */
  releaseAll(): void;
  /** Lets go of those of the goods that are ours. */
  release(goodsIds: readonly number[]): void;
}

/** For the ways in which PostgreSQL alone keeps writers apart. */
export const NO_LEASES: Leases = {
  take: () => Promise.resolve(undefined),
  keep: () => Promise.resolve(true),
  remainingMs: () => Infinity,
  afterBatch() {},
  releaseIdle() {},
  releaseDue: () => Promise.resolve(),
  releaseAll() {},
  release() {},
};
