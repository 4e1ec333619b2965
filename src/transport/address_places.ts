/**
 * Places of which there are so many in all and so many for one address, so that nobody takes them all.
 */
export class AddressPlaces {
  readonly #perAddress = new Map<string, number>();
  #taken = 0;

  /**
   * @param max in all
   * @param share the part of them that one address may have, over 0 and up to 1
   */
  constructor(private readonly max: number, private readonly share: number) {}

  /** Takes a place. Returns the function that gives it back, to be called once; undefined where there is none. */
  take(address: string): (() => void) | undefined {
    const own = this.#perAddress.get(address) ?? 0;
    if (this.#taken >= this.max || own >= shareOf(this.max, this.share)) return undefined;
    this.#taken++;
    this.#perAddress.set(address, own + 1);
    return () => {
      this.#taken--;
      const left = this.#perAddress.get(address)! - 1;
      if (left === 0) this.#perAddress.delete(address);
      else this.#perAddress.set(address, left);
    };
  }
}

/** What one address may have of `max`, at least one. */
export function shareOf(max: number, share: number): number {
  return Math.max(1, Math.floor(max * share));
}
