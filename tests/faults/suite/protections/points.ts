/**
 * Named points on the path of an operation at which a test can stop the server.
 *
 *     (none) --"stop <point> <number>" on stdin--------> armed      "ARMED <point> <number>" on stdout
 *     armed  --"forget" on stdin-----------------------> (none)
 *     armed  --an operation reaches the point----------> stopped    "AT <point> <number>" on stdout
 *     stopped --"go" on stdin, or STOPPED_MS_MAX is over--> (none)  the operation goes on
 */
import type { Log } from "../../../../src/telemetry/log.ts";

/**
 * - after_lease: the lease of the goods was had
 * - after_read: the snapshot was read; in the mode `row` inside the open transaction
 * - before_commit: everything was decided and checked, and what commits is sent next
 * - after_commit: it is committed, and the answer is not sent yet
 */
export const POINTS = ["after_lease", "after_read", "before_commit", "after_commit"] as const;
export type Point = typeof POINTS[number];

/** Longest time that an operation stands at a point. */
const STOPPED_MS_MAX = 30_000;

/** The points of one server. */
export class Points {
  readonly #armed: { readonly point: Point; readonly number: string }[] = [];
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
      for (const line of lines) this.obey(line.trim());
    }
  }

  /** An operation has come to the point: it stops there if a test wants that. */
  async reach(point: Point): Promise<void> {
    const index = this.#armed.findIndex((armed) => armed.point === point);
    const [armed] = index < 0 ? [] : this.#armed.splice(index, 1);
    if (armed === undefined) return;
    this.#say(`AT ${point} ${armed.number}`);
    await new Promise<void>((resolve) => {
      const go = () => {
        clearTimeout(timer);
        this.#stopped.delete(go);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#log.error({ point, msMax: STOPPED_MS_MAX }, "nobody said go in time");
        go();
      }, STOPPED_MS_MAX);
      this.#stopped.add(go);
    });
  }

  /** Does what one line asks for. @throws Error for one that asks for nothing known */
  obey(line: string): void {
    if (line === "forget") {
      this.#armed.length = 0;
      return;
    }
    if (line === "go") {
      for (const go of [...this.#stopped]) go();
      return;
    }
    const [, point, number] = /^stop (\S+) (\d+)$/.exec(line) ?? [];
    if (number === undefined || !POINTS.some((known) => known === point)) {
      throw new Error(
        `Cannot obey "${line}": expected "go", "forget", or "stop", one of ${POINTS.join(", ")} and a number`,
      );
    }
    this.#armed.push({ point: point as Point, number });
    // What the test sends next may be here before what it has written.
    this.#say(`ARMED ${point} ${number}`);
  }
}
