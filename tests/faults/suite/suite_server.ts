/** Starts the suite's server (server.ts) as a process, and stops it at its points. */
import { type ServerOptions, startServer, type TestServer } from "../../support/server.ts";
import { type Protection, WITHOUT_VARIABLE } from "./protections/names.ts";
import type { Point } from "./protections/points.ts";
import { eventually } from "../../support/eventually.ts";

/** How to start it, beside what any server takes. */
export interface SuiteServerOptions extends Omit<ServerOptions, "entry" | "flags" | "workers" | "stdin"> {
  /** Protections to do without. */
  readonly without?: readonly Protection[];
}

/** Operations of a server are stopped at its points. */
export interface Stops {
  /**
   * From when this resolves on, the next operation that reaches the point will stop there. Rejects for one that is
   * paused.
   */
  stopAt(point: Point, msMax?: number): Promise<void>;
  /**
   * Resolves when the operation stands at the point that was stopped for the oldest {@link stopAt} that nobody has
   * waited for yet. Rejects when none comes in time; one that comes later is not taken for another's.
   */
  at(point: Point, msMax?: number): Promise<void>;
  /** What stands at a point goes on. */
  go(): Promise<void>;
  /** Nobody who comes now stops at a point. */
  forget(): Promise<void>;
}

/** The running server. `await using` stops it. */
export interface SuiteServer extends TestServer, Stops {}

const ENTRY = "tests/faults/suite/server.ts";

/** Starts it and waits until it is healthy, unless `healthy` says otherwise. */
export async function startSuiteServer({ without = [], ...options }: SuiteServerOptions = {}): Promise<SuiteServer> {
  const server = await startServer({
    ...options,
    entry: ENTRY,
    stdin: "piped",
    env: { ...options.env, [WITHOUT_VARIABLE]: without.join(",") },
    flags: (flags) => flags.map((flag) => flag.startsWith("--allow-env=") ? `${flag},${WITHOUT_VARIABLE}` : flag),
  });
  return {
    ...server,
    // Getters are not copied.
    get output() {
      return server.output;
    },
    ...stopsOf(server.say, (line) => server.output.stdout.split("\n").includes(line)),
  };
}

/** By what the points are asked to do, and whether they have said a line. */
export function stopsOf(say: (line: string) => Promise<void>, said: (line: string) => boolean): Stops {
  let stops = 0;
  const waitedFor = new Map<Point, number[]>();
  return {
    async stopAt(point, msMax) {
      const number = ++stops;
      await say(`stop ${point} ${number}`);
      await eventually(() => said(`ARMED ${point} ${number}`), `${point} is armed`, msMax);
      waitedFor.set(point, [...waitedFor.get(point) ?? [], number]);
    },
    async at(point, msMax) {
      const number = waitedFor.get(point)?.shift();
      if (number === undefined) throw new Error(`Nobody is to be stopped at ${point}`);
      await eventually(() => said(`AT ${point} ${number}`), `an operation stands at ${point}`, msMax);
    },
    go: () => say("go"),
    forget: () => say("forget"),
  };
}
