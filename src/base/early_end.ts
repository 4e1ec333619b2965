/** An end that may come before what is waited for, such as that of a body before its last byte. */

/** The end, of one thing that waits for one promise at a time. */
export class EarlyEnd {
  #reason: unknown;
  #isEnded = false;
  #reject: ((reason: unknown) => void) | undefined;

  /** Whether it has come. */
  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** Whoever waits, or will, gets this. Later ends are none. */
  end(reason: unknown): void {
    if (!this.#isEnded) this.#reason = reason;
    this.#isEnded = true;
    this.#reject?.(this.#reason);
  }

  /** Throws the reason where it has come. */
  throwIfEnded(): void {
    if (this.#isEnded) throw this.#reason;
  }

  /**
   * What the promise comes to, unless the end comes first. Not with Promise.race, which would keep something for each
   * wait.
   */
  before<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#isEnded) return reject(this.#reason);
      this.#reject = reject;
      promise.then((value) => this.#isEnded ? reject(this.#reason) : resolve(value), reject);
    });
  }
}
