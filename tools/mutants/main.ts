/**
 * `deno task mutants [part of a file's path...]`: plants small believable slips one at a time, each in a fresh copy of
 * the work tree, and runs the tests that are to notice. By hand, and no part of `deno task ok`: it takes half an
 * hour on two cores.
 *
 * The same tests run first with nothing planted, since tests that fail anyway notice everything. The last line says
 * `N noticed, N lived, N not planted`; the exit code is 0 only if every slip was noticed.
 */
import { EXIT_INTERRUPTED, listenForStop } from "../stop_requests.ts";
import { EXIT_USAGE } from "../../src/process/exit_codes.ts";
import { plant, type Slip } from "./plant.ts";
import { SLIPS } from "./slips.ts";
import { compiles, type End, freshCopy, runTests } from "./work_tree.ts";

/**
 * Longest run of one slip's tests. One that is stopped then was noticed: a run that does not end is seen by anybody.
 */
const RUN_MS_MAX = 300_000;
/** Longest run of all tests that the slips name. */
const CONTROL_MS_MAX = 1_800_000;

type Trial = { readonly is: "noticed" | "lived" | "not planted"; readonly words: string };

async function main(): Promise<number> {
  const slips = SLIPS.filter(({ file }) => Deno.args.length === 0 || Deno.args.some((part) => file.includes(part)));
  if (slips.length === 0) {
    console.error(`No slip is in a file with ${Deno.args.join(" or ")} in its path`);
    return EXIT_USAGE;
  }
  const stop = new AbortController();
  const requests = listenForStop();
  requests.first.then(() => stop.abort());
  requests.second.then(() => Deno.exit(EXIT_INTERRUPTED));
  const trials: Trial[] = [];
  {
    await using copy = await freshCopy();
    const end = await runTests(copy.path, allTests(slips), CONTROL_MS_MAX, stop.signal);
    if (stop.signal.aborted) return EXIT_INTERRUPTED;
    if (end.is !== "passed") {
      console.log(`with nothing planted the tests do not pass:\n${end.words}`);
      return 1;
    }
    console.log(`with nothing planted the tests pass: ${end.counts}`);
  }
  for (const [index, slip] of slips.entries()) {
    const trial = await tryOut(slip, stop.signal);
    if (stop.signal.aborted) return EXIT_INTERRUPTED;
    trials.push(trial);
    console.log(
      `${index + 1} of ${slips.length} ${trial.is.padEnd(11)} ${slip.file}: ${slip.rule}: ${trial.words}`,
    );
  }
  const count = (is: Trial["is"]) => trials.filter((trial) => trial.is === is).length;
  console.log(`${count("noticed")} noticed, ${count("lived")} lived, ${count("not planted")} not planted`);
  return count("noticed") === slips.length ? 0 : 1;
}

/** Plants one slip in a copy of its own, and runs its tests there. */
async function tryOut(slip: Slip, stop: AbortSignal): Promise<Trial> {
  await using copy = await freshCopy();
  const path = `${copy.path}/${slip.file}`;
  const planted = await Deno.readTextFile(path).then((text) => plant(text, slip), notThere);
  if ("notPlanted" in planted) return { is: "not planted", words: planted.notPlanted };
  await Deno.writeTextFile(path, planted.text);
  // What does not compile is noticed by every test, and says nothing about any.
  const fault = path.endsWith(".ts") ? await compiles(copy.path, slip.file) : undefined;
  if (fault !== undefined) return { is: "not planted", words: `it does not compile:\n${fault}` };
  return trialOf(await runTests(copy.path, slip.tests, RUN_MS_MAX, stop));
}

function trialOf({ is, counts }: End): Trial {
  switch (is) {
    case "passed":
      return { is: "lived", words: counts };
    case "failed":
      return { is: "noticed", words: counts };
    case "stopped":
      return { is: "noticed", words: `the run did not end within ${RUN_MS_MAX / 1000} s` };
  }
}

function notThere(error: unknown): { notPlanted: string } {
  if (error instanceof Deno.errors.NotFound) return { notPlanted: "the file is not there" };
  throw error;
}

function allTests(slips: readonly Slip[]): string[] {
  return [...new Set(slips.flatMap(({ tests }) => tests))].sort();
}

if (import.meta.main) Deno.exit(await main());
