/**
 * Work that many events ask for, done once before the next frame is drawn: a thousand changes a second are sixty looks
 * at the table, at most.
 */

/** Asks for `run` before the next frame; answers what takes that back. In a browser it is requestAnimationFrame. */
export type NextFrame = (run: () => void) => () => void;

/** Items that wait for a frame: a page that nobody looks at gets none, and takes so many without one. */
const ITEMS_MAX = 10_000;

/** Items that came since the frame before, of each key the newest, taken together once a frame. */
export class FrameTurns<K, T> {
  readonly #items = new Map<K, T>();
  #cancel: (() => void) | undefined;

  /** `isNewer` says whether an item replaces the one of its key; `take` gets all of a frame. */
  constructor(
    private readonly nextFrame: NextFrame,
    private readonly isNewer: (item: T, than: T) => boolean,
    private readonly take: (items: ReadonlyMap<K, T>) => void,
  ) {}

  /** Keeps an item until the next frame, or until there are {@link ITEMS_MAX}. */
  add(key: K, item: T): void {
    const earlier = this.#items.get(key);
    if (earlier === undefined || this.isNewer(item, earlier)) this.#items.set(key, item);
    if (this.#items.size >= ITEMS_MAX) this.flush();
    else this.#cancel ??= this.nextFrame(() => this.flush());
  }

  /** Takes what there is at once. */
  flush(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    if (this.#items.size === 0) return;
    const items = new Map(this.#items);
    this.#items.clear();
    this.take(items);
  }

  /** Nothing comes of what is left. */
  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#items.clear();
  }
}
