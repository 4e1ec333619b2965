/** When a stream has to say that it is alive, whatever it waits for. */
import { settled } from "../base/bounded_wait.ts";

/** The event. */
export interface Heartbeat<P> {
  readonly kind: "heartbeat";
  readonly position: P | undefined;
}

/** Of one stream. */
export class Heartbeats {
  readonly #everyMs: number;
  #saidAtMs = performance.now();

  /** @param everyMs longest time between two events, in ms */
  constructor(everyMs: number) {
    this.#everyMs = everyMs;
  }

  /** An event was given. */
  said(): void {
    this.#saidAtMs = performance.now();
  }

  /** Until the next one is due, in ms; not above 0: it is. */
  get dueInMs(): number {
    return this.#saidAtMs + this.#everyMs - performance.now();
  }

  /** What a read, or whatever else is waited for, comes to, and heartbeats until then, each with the position. */
  async *through<T, P>(work: Promise<T>, position?: P): AsyncGenerator<Heartbeat<P>, T> {
    // Whoever leaves at a heartbeat hears nothing of it any more; all others get its error from the last line.
    work.catch(() => {});
    while (!await settled(work, Math.max(0, this.dueInMs))) {
      this.said();
      yield { kind: "heartbeat", position };
    }
    return await work;
  }
}
