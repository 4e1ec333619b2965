/** What drills have in common: what they are asked, and what they say. */

/** How a drill is run. */
export interface DrillOptions {
  /** What is drawn comes again with the same seed. */
  readonly seed: number;
  /** Orders that are acknowledged at the least. */
  readonly orders: number;
  /** Says how far it is. */
  readonly say: (words: string) => void;
}

/** What came of it. */
export interface DrillReport {
  /** What must not be, a sentence each; none where all is well. */
  readonly faults: readonly string[];
  /** Figures by their names. */
  readonly figures: Readonly<Record<string, number>>;
}

/** A drill under its name. */
export interface NamedDrill {
  readonly name: string;
  run(options: DrillOptions): Promise<DrillReport>;
}

const ORDERS_DEFAULT = 20_000;
const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

/**
 * Runs all of them, as often as `--times` says, with a seed of its own each time. Progress is on standard error, a line
 * of JSON for each on standard output. Answers the exit code: 1 where something is wrong, 2 for words that it does not
 * know.
 */
export async function runDrills(drills: readonly NamedDrill[], args: readonly string[]): Promise<number> {
  const asked = numbersOf(args);
  if (asked === undefined) {
    console.error("Expected [--times N] [--seed N] [--orders N]");
    return EXIT_USAGE;
  }
  let failed = 0;
  for (let time = 0; time < asked.times; time++) {
    for (const { name, run } of drills) {
      const startedAt = performance.now();
      const seconds = () => Math.round((performance.now() - startedAt) / 1000);
      const say = (words: string) => console.error(`[${name} ${time + 1}, ${seconds()} s] ${words}`);
      const seed = asked.seed + time;
      say(`seed ${seed}`);
      const { faults, figures } = await run({ seed, orders: asked.orders, say });
      console.log(JSON.stringify({ drill: name, seed, seconds: seconds(), ...figures, faults }));
      failed += faults.length;
    }
  }
  return failed > 0 ? EXIT_FAILED : 0;
}

/** Median, 99 of 100, and the longest of times in ms, by names that begin with `name`. */
export function timesOf(name: string, ms: readonly number[]): Record<string, number> {
  const sorted = ms.toSorted((a, b) => a - b);
  const at = (part: number) => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0);
  return { [`${name} p50 ms`]: at(0.5), [`${name} p99 ms`]: at(0.99), [`${name} max ms`]: at(1) };
}

/** Reads the arguments; undefined: they can't be read. */
function numbersOf(args: readonly string[]) {
  const numbers = { times: 1, seed: Math.floor(Math.random() * 2 ** 31), orders: ORDERS_DEFAULT };
  for (let i = 0; i < args.length; i += 2) {
    const name = args[i]!.replace(/^--/, "");
    const value = args[i + 1] ?? "";
    if (!Object.hasOwn(numbers, name) || !/^\d{1,9}$/.test(value)) return undefined;
    numbers[name as keyof typeof numbers] = Number(value);
  }
  return numbers;
}
