/** Starts the suite's server (server.ts) as a process, and stops it at its points. */
import { type ServerOptions, startServer, type TestServer } from "../../support/server.ts";
import { eventually } from "../../support/holding.ts";
import { type Protection, WITHOUT_VARIABLE } from "./protections/names.ts";
import type { Point } from "./protections/points.ts";

/** How to start it, beside what any server takes. */
export interface SuiteServerOptions extends Omit<ServerOptions, "entry" | "flags" | "workers" | "stdin"> {
  /** Protections to do without. */
  readonly without?: readonly Protection[];
}

/** The running server. `await using` stops it. */
export interface SuiteServer extends TestServer {
  /** The next operation that reaches the point will stop there. */
  hold(point: Point): Promise<void>;
  /** Resolves when an operation stands at the point; one for each {@link hold}. */
  at(point: Point, msMax?: number): Promise<void>;
  /** What stands at a point goes on. */
  go(): Promise<void>;
  /** Nobody who comes now stops at a point. */
  forget(): Promise<void>;
}

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
  const seen = new Map<Point, number>();
  const stops = (point: Point) => server.output.stdout.split("\n").filter((line) => line === `AT ${point}`).length;
  return {
    ...server,
    // Getters are not copied.
    get output() {
      return server.output;
    },
    hold: (point) => server.say(`hold ${point}`),
    async at(point, msMax) {
      const count = (seen.get(point) ?? 0) + 1;
      seen.set(point, count);
      await eventually(`an operation stands at ${point}`, () => stops(point) >= count, msMax);
    },
    go: () => server.say("go"),
    forget: () => server.say("forget"),
  };
}
