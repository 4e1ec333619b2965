/**
 * Named points on the way of an operation at which a test can stop the server.
 *
 *     (none) --"hold <point>" on stdin-----------------> armed
 *     armed  --"forget" on stdin-----------------------> (none)
 *     armed  --an operation reaches the point----------> stopped    "AT <point>" on stdout
 *     stopped --"go" on stdin, or HOLD_MS_MAX is over--> (none)     the operation goes on
 */
import type { Log } from "../../../../src/telemetry/log.ts";

/**
 * - after_lease: the lease of the goods was had
 * - after_read: the book was read; by the way of row locks inside the open transaction
 * - before_commit: everything was decided and checked, and what commits is sent next
 * - after_commit: it is committed, and the answer is not on its way yet
 */
export const POINTS = ["after_lease", "after_read", "before_commit", "after_commit"] as const;
export type Point = typeof POINTS[number];

/** Longest time that an operation stands at a point. */
export const HOLD_MS_MAX = 30_000;

/** The points of one server. */
export class Points {
  readonly #armed: Point[] = [];
  readonly #stopped = new Set<() => void>();
  readonly #log: Log;
  readonly #say: (line: string) => void;

  /** `say` writes a line for the test to read. */
  constructor(say: (line: string) => void, log: Log) {
    this.#say = say;
    this.#log = log;
  }

  /** Takes orders, a line each, until they end. */
  async listen(input: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
    let rest = "";
    for await (const text of input.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) this.#obey(line.trim());
    }
  }

  /** An operation has come to the point: it stops there if a test wants that. */
  async reach(point: Point): Promise<void> {
    const index = this.#armed.indexOf(point);
    if (index < 0) return;
    this.#armed.splice(index, 1);
    this.#say(`AT ${point}`);
    await new Promise<void>((resolve) => {
      const go = () => {
        clearTimeout(timer);
        this.#stopped.delete(go);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#log.error({ point, msMax: HOLD_MS_MAX }, "nobody said go in time");
        go();
      }, HOLD_MS_MAX);
      this.#stopped.add(go);
    });
  }

  #obey(line: string): void {
    if (line === "forget") {
      this.#armed.length = 0;
      return;
    }
    if (line === "go") {
      for (const go of [...this.#stopped]) go();
      return;
    }
    const point = /^hold (\S+)$/.exec(line)?.[1];
    if (!POINTS.some((known) => known === point)) {
      throw new Error(`Cannot obey "${line}": expected "go" or "hold" and one of ${POINTS.join(", ")}`);
    }
    this.#armed.push(point as Point);
  }
}
