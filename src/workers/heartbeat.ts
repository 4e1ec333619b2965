/**
 * Signs of life of a worker: a process that is paused, or whose loop is blocked, keeps its place behind the shared
 * port, and the system goes on giving it its share of the connections.
 */
import { errorFields, type Log } from "../telemetry/log.ts";

/** How often a worker gives a sign of life, and how often the supervisor looks for one; in ms. */
export const HEARTBEAT_EVERY_MS = 1000;
/**
 * A listening worker of which nothing was heard for so long is killed; in ms. Longer than any honest stall: the longest
 * turn that was measured, 60 large batches that came in at once, took 2.9 s.
 */
export const HEARTBEAT_MS_MAX = 10_000;
/** The line of standard output that is a sign of life. */
export const HEARTBEAT_LINE = "alive";

const HEARTBEAT = new TextEncoder().encode(`${HEARTBEAT_LINE}\n`);

/**
 * Writes {@link HEARTBEAT_LINE} to standard output every {@link HEARTBEAT_EVERY_MS}, for as long as somebody reads it
 * and this process runs; does not keep it running.
 */
export function giveSignsOfLife(log: Log): void {
  let isWriting = false;
  const timer = setInterval(async () => {
    // A supervisor that is paused reads nothing: one sign waits for it, and not the whole loop once the pipe is full.
    if (isWriting) return;
    isWriting = true;
    try {
      await Deno.stdout.write(HEARTBEAT);
      isWriting = false;
    } catch (error) {
      clearInterval(timer);
      // The supervisor has ended. That is seen at standard input, where the worker is asked to drain.
      log.warn({ error: errorFields(error) }, "nobody reads the signs of life any more");
    }
  }, HEARTBEAT_EVERY_MS);
  Deno.unrefTimer(timer);
}

/**
 * Who has been silent for too long. Counts looks and no time: a supervisor that was paused itself, with the whole
 * machine perhaps, then has one look more, and not a reason to kill everybody. No I/O.
 */
export class Silence {
  readonly #looksMax: number;
  readonly #silentLooks = new Map<number, number>();

  /** @param looksMax so many looks in a row without a sign of life are too many */
  constructor(looksMax: number) {
    this.#looksMax = looksMax;
  }

  /** From now on signs of life are expected of this worker. */
  watch(worker: number): void {
    this.#silentLooks.set(worker, 0);
  }

  /** From now on none are. */
  forget(worker: number): void {
    this.#silentLooks.delete(worker);
  }

  /** The worker gave a sign. */
  heard(worker: number): void {
    if (this.#silentLooks.has(worker)) this.#silentLooks.set(worker, 0);
  }

  /** Looks once at all; answers those that are silent for too long now, each once. */
  look(): number[] {
    const silent: number[] = [];
    for (const [worker, looks] of this.#silentLooks) {
      this.#silentLooks.set(worker, looks + 1);
      if (looks + 1 >= this.#looksMax) silent.push(worker);
    }
    silent.forEach((worker) => this.forget(worker));
    return silent;
  }
}
