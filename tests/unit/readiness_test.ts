import { assertEquals } from "@std/assert";
import { watchReadiness } from "../../src/health/readiness.ts";
import type { Log } from "../../src/telemetry/log.ts";
import { SILENT } from "../support/silent_log.ts";

/** Runs looks that succeed or fail as listed; answers what was reported and which warnings were logged. */
async function looks(outcomes: readonly boolean[]): Promise<{ reported: boolean[]; warnings: number }> {
  const stop = new AbortController();
  const reported: boolean[] = [];
  let warnings = 0;
  const log: Log = { ...SILENT, warn: () => void warnings++ };
  let look = 0;
  const ping = () => outcomes[look++] ? Promise.resolve() : Promise.reject(new Error("away"));
  await watchReadiness(
    [{ name: "store", ping }],
    (ready) => {
      reported.push(ready);
      if (reported.length === outcomes.length) stop.abort();
    },
    log,
    stop.signal,
  );
  return { reported, warnings };
}

Deno.test("a service is not ready before its first good look", async () => {
  assertEquals(await looks([false, true]), { reported: [false, true], warnings: 0 });
});

Deno.test("what is not there yet when a process starts is looked for often, and reported when it stays away", async () => {
  assertEquals((await looks([false, false, false, false, true])).warnings, 0);
  assertEquals((await looks([false, false, false, false, false])).warnings, 1);
  // Ready once, it is looked at like any other.
  assertEquals((await looks([false, true, false, false])).warnings, 1);
});

Deno.test("why something is away is said with the word of whoever caused it, however deep it stands", async () => {
  const stop = new AbortController();
  const said: (string | undefined)[] = [];
  const atBottom = new Error("getaddrinfo ENOTFOUND pg.example");
  const failures = [
    new Error("could not be reached", { cause: new Error("ENOTFOUND", { cause: atBottom }) }),
    new Error("could not be reached"),
    new Error("could not be reached", { cause: new Error("") }),
  ];
  await watchReadiness(
    [{ name: "store", ping: () => Promise.reject(failures[said.length]) }],
    (_, [store]) => {
      said.push(store!.reason);
      if (said.length === failures.length) stop.abort();
    },
    SILENT,
    stop.signal,
  );
  assertEquals(said, [
    `could not be reached: ENOTFOUND: ${atBottom.message}`,
    "could not be reached",
    "could not be reached",
  ]);
});

Deno.test("one bad look does not turn a ready service away, a second in a row does, and is logged", async () => {
  assertEquals(await looks([true, false, true, false, false, true]), {
    reported: [true, true, true, true, false, true],
    warnings: 1,
  });
});
