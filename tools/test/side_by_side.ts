/** Work that is shared out among so many places, each of which takes the next piece when it is free. */

/** What is known of a piece of work before it is begun. */
export interface Piece {
  /** It comes last, and has no more than one beside it, which is such a piece too. */
  readonly isApart: boolean;
}

const PLACES_APART = 2;

/**
 * Does all pieces in their order, `places` at once. After an error, or once `isStopped`, none is begun any more.
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
  for (const isApart of [false, true]) {
    const waiting = pieces.filter((piece) => piece.isApart === isApart).values();
    const count = isApart ? Math.min(places, PLACES_APART) : places;
    await Promise.all(Array.from({ length: count }, (_, place) => share(waiting, place)));
  }
  if (errors.length > 0) throw errors[0];
}
