/** Rows of one height of which only those that are looked at are there, however many there are. */
import type { ReactiveController, ReactiveControllerHost } from "lit";
import { elementScroll, observeElementOffset, observeElementRect, Virtualizer } from "@tanstack/virtual-core";

/** Rows that are drawn beyond both edges, so that scrolling by some rows shows no gap. */
const OVERSCAN = 8;

/** What the rows are of. */
export interface VirtualRowsOptions {
  /** The element that scrolls; null before it is drawn. */
  readonly scroller: () => HTMLElement | null;
  readonly count: () => number;
  /** In CSS pixels. */
  readonly rowHeight: () => number;
  /** What stays at the top of the scroller and covers rows there, in CSS pixels. */
  readonly headHeight: () => number;
}

/** The rows that are drawn, and how far the first is from the top. */
export interface DrawnRows {
  readonly first: number;
  /** Behind the last. */
  readonly end: number;
  readonly offset: number;
  /** Height of all rows. */
  readonly height: number;
}

/** Draws its host anew whenever other rows come into view. */
export class VirtualRows implements ReactiveController {
  readonly #virtual: Virtualizer<HTMLElement, HTMLElement>;
  #unmount: (() => void) | undefined;
  #height = 0;

  constructor(private readonly host: ReactiveControllerHost, private readonly options: VirtualRowsOptions) {
    this.#virtual = new Virtualizer<HTMLElement, HTMLElement>(this.#current());
    host.addController(this);
  }

  hostConnected(): void {
    this.#unmount = this.#virtual._didMount();
  }

  hostDisconnected(): void {
    this.#unmount?.();
  }

  hostUpdate(): void {
    this.#virtual.setOptions(this.#current());
    const height = this.options.rowHeight();
    if (height !== this.#height) {
      this.#height = height;
      this.#virtual.measure();
    }
  }

  hostUpdated(): void {
    this.#virtual._willUpdate();
  }

  /** What to draw now. */
  drawn(): DrawnRows {
    const items = this.#virtual.getVirtualItems();
    const [first] = items;
    const height = this.#virtual.getTotalSize();
    if (first === undefined) return { first: 0, end: 0, offset: 0, height };
    return { first: first.index, end: items.at(-1)!.index + 1, offset: first.start, height };
  }

  /** Scrolls as little as it takes until a row is in view. */
  show(index: number): void {
    this.#virtual.scrollToIndex(index, { align: "auto" });
  }

  /** Whole rows that fit into the view, 1 at least. */
  perView(): number {
    const height = (this.#virtual.scrollRect?.height ?? 0) - this.options.headHeight();
    return Math.max(1, Math.floor(height / this.options.rowHeight()));
  }

  #current() {
    return {
      count: this.options.count(),
      getScrollElement: this.options.scroller,
      estimateSize: this.options.rowHeight,
      overscan: OVERSCAN,
      scrollPaddingEnd: this.options.headHeight(),
      observeElementRect,
      observeElementOffset,
      scrollToFn: elementScroll,
      onChange: this.#draw,
    };
  }

  readonly #draw = () => this.host.requestUpdate();
}
