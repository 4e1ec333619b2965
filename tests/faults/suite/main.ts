/**
 * `deno task faults [--minutes M | --seconds S] [--seed N] [--before COMMIT] [--only WORDS]`: the fault suite, or
 * those of its faults alone whose names have the words. Progress is on standard error; the report on standard output.
 * Exits with 1 if the checker found a violation, a session of the service kept its transaction, something stayed
 * undecided, or the witnesses grew.
 */
import { report } from "./report.ts";
import { runSuite, violationsOf } from "./run.ts";
import type { Fault } from "./faults/fault.ts";
import { FAULTS } from "./schedule.ts";
import { openStage } from "./stage.ts";

const MINUTES_DEFAULT = 20;
const MINUTES_MAX = 24 * 60;
/** What two cores carry beside the outages without being short of time all along. */
const CALLS_PER_SECOND = 280;
/** The newest version whose program had no mode but leases. */
const BEFORE_DEFAULT = "307eabb";
const EXIT_USAGE = 2;

interface Asked {
  readonly ms: number;
  readonly seed: number;
  readonly before: string;
  readonly faults: readonly Fault[];
}

/** Reads the arguments; undefined: they can't be read. */
function asked(args: readonly string[]): Asked | undefined {
  let ms = MINUTES_DEFAULT * 60_000;
  let seed = Math.floor(Math.random() * 2 ** 31);
  let before = BEFORE_DEFAULT;
  let faults = FAULTS;
  const words = args.filter((word) => word !== "--");
  for (let i = 0; i < words.length; i += 2) {
    const value = Number(words[i + 1]);
    if (words[i] === "--before" && words[i + 1] !== undefined) {
      before = words[i + 1]!;
      continue;
    }
    if (words[i] === "--only" && words[i + 1] !== undefined) {
      faults = FAULTS.filter(({ name }) => name.includes(words[i + 1]!));
      continue;
    }
    if (!(value >= 0)) return undefined;
    if (words[i] === "--minutes") ms = value * 60_000;
    else if (words[i] === "--seconds") ms = value * 1000;
    else if (words[i] === "--seed" && Number.isSafeInteger(value)) seed = value;
    else return undefined;
  }
  return ms > 0 && ms <= MINUTES_MAX * 60_000 && faults.length > 0 ? { ms, seed, before, faults } : undefined;
}

async function main(): Promise<number> {
  const options = asked(Deno.args);
  if (options === undefined) {
    console.error(
      `Usage: deno task faults [--minutes M | --seconds S] [--seed N] [--before COMMIT] [--only WORDS], up to ${MINUTES_MAX} minutes; ` +
        "--only: faults whose names have the words",
    );
    return EXIT_USAGE;
  }
  const startedMs = performance.now();
  const say = (words: string) => console.error(`[${Math.round((performance.now() - startedMs) / 1000)} s] ${words}`);
  const stopping = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, () => stopping.abort());
  say(`seed ${options.seed}: starting PostgreSQL, five Redis and four fleets`);
  await using stage = await openStage({ disk: true, before: options.before });
  if (stage.disk === undefined) say("this machine gives no file system of its own to fill: no disk will be full");
  if (stage.before === undefined) say(`there is no commit ${options.before} here: no other version takes part`);
  const result = await runSuite(stage, {
    ...options,
    callsPerSecond: CALLS_PER_SECOND,
    report: say,
    stop: stopping.signal,
  });
  for (const line of report(result)) console.log(line);
  return violationsOf(result).length > 0 ? 1 : 0;
}

if (import.meta.main) Deno.exit(await main());
