/**
 * Places of streams that stay open for minutes: so many in all, so many of one address, so many of one identity. They
 * are no calls under way of those who have them, and no stream takes a place twice.
 */
import { AddressPlaces } from "../transport/addresses.ts";

/** How many streams there may be at a time. */
export interface StreamBounds {
  readonly max: number;
  /** The part of them that one address may have, over 0 and up to 1. */
  readonly addressShare: number;
  readonly identityMax: number;
}

/** Which of the bounds a stream would pass. */
export type StreamsPassed = "identity_streams" | "streams";

/** The places of one process. */
export class StreamPlaces {
  readonly #places: AddressPlaces;
  readonly #byIdentity = new Map<string, number>();
  #open = 0;

  constructor(private readonly bounds: StreamBounds) {
    this.#places = new AddressPlaces(bounds.max, bounds.addressShare);
  }

  /** Streams that have a place. */
  get open(): number {
    return this.#open;
  }

  /** Takes a place: the function that frees it, to be called once, or why there is none. */
  take(address: string, identity: string | undefined): (() => void) | StreamsPassed {
    const own = identity === undefined ? 0 : this.#byIdentity.get(identity) ?? 0;
    if (own >= this.bounds.identityMax) return "identity_streams";
    const free = this.#places.take(address);
    if (free === undefined) return "streams";
    if (identity !== undefined) this.#byIdentity.set(identity, own + 1);
    this.#open++;
    return () => {
      free();
      this.#open--;
      if (identity !== undefined) this.#leave(identity);
    };
  }

  #leave(identity: string): void {
    const left = this.#byIdentity.get(identity)! - 1;
    if (left === 0) this.#byIdentity.delete(identity);
    else this.#byIdentity.set(identity, left);
  }
}
