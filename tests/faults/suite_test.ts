/** A short round of the fault suite; `deno task faults` is the long one. */
import { assertEquals, assertGreater } from "@std/assert";
import { report } from "./suite/report.ts";
import { runSuite, violationsOf } from "./suite/run.ts";
import { openStage } from "./suite/stage.ts";

const MS = 12_000;
const CALLS_PER_SECOND = 80;

Deno.test("under random faults every promise is kept, in every mode and in all of them beside each other", async () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  console.log(`seed ${seed}`);
  await using stage = await openStage({ disk: false });
  const result = await runSuite(stage, {
    seed,
    ms: MS,
    callsPerSecond: CALLS_PER_SECOND,
    report: (words) => console.log(words),
    stop: new AbortController().signal,
  });
  console.log(report(result).join("\n"));
  assertEquals(violationsOf(result), []);
  for (const { name, calls } of result.fleets) {
    assertGreater(calls.filter(({ answer }) => answer.outcome === "ok").length, 0, name);
  }
});
