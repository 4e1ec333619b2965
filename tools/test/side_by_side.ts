/** Work that is shared out among so many places, each of which takes the next piece when it is free. */

/** What is known of a piece of work before it is begun. */
export interface Piece {
  /** One of them is in progress at a time; they are begun before others. */
  readonly isHeavy: boolean;
}

/**
 * Does all pieces in their sequence, `places` at once, the heavy ones in the first of them. After an error, or once
 * `isStopped`, none is begun any more.
 *
 * @throws what the first piece that failed threw, when all that were begun have ended
 */
export async function sideBySide<T extends Piece>(
  pieces: readonly T[],
  places: number,
  work: (piece: T, place: number) => Promise<void>,
  isStopped: () => boolean,
): Promise<void> {
  const errors: unknown[] = [];
  const share = async (waiting: Iterator<T>, place: number) => {
    while (errors.length === 0 && !isStopped()) {
      const next = waiting.next();
      if (next.done === true) return;
      await work(next.value, place).catch((error) => errors.push(error));
    }
  };
  const others = pieces.filter(({ isHeavy }) => !isHeavy).values();
  const heavy = share(pieces.filter(({ isHeavy }) => isHeavy).values(), 0);
  await Promise.all(Array.from({ length: places }, async (_, place) => {
    if (place === 0) await heavy;
    await share(others, place);
  }));
  if (errors.length > 0) throw errors[0];
}
