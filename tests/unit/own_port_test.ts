/** When a port is believed to be deaf, with dials that answer as the test has it. */
import { assertEquals } from "@std/assert";
import { type Dialled, watchOwnPort } from "../../src/transport/own_port.ts";
import { SILENT } from "../support/silent_log.ts";

/** Watches until it has listened anew, given up, or dialled so often; answers what happened. */
async function watched(
  options: { dials: Dialled[]; accepts?: number; sharers?: number; fails?: boolean },
): Promise<string[]> {
  const { dials, accepts = 0, sharers = 1, fails = false } = options;
  const seen: string[] = [];
  const over = Promise.withResolvers<void>();
  let accepted = 0;
  const stop = watchOwnPort({
    sharers,
    accepted: () => accepted,
    dial() {
      const dialled = dials.shift();
      if (dialled === undefined) over.resolve();
      else seen.push(dialled);
      if (dialled === "answered") accepted += accepts;
      return Promise.resolve(dialled ?? "unknown");
    },
    listenAnew() {
      seen.push("anew");
      if (!fails) over.resolve();
      return fails ? Promise.reject(new Error("taken")) : Promise.resolve();
    },
    givenUp(error) {
      seen.push((error as Error).message);
      over.resolve();
    },
    log: SILENT,
    lookEveryMs: 1,
  });
  // The watch keeps no process running.
  const awake = setInterval(() => {}, 1_000);
  await over.promise;
  clearInterval(awake);
  stop();
  return seen;
}

Deno.test("one silent look is not believed, two in a row are", async () => {
  assertEquals(await watched({ dials: ["silent", "answered", "silent"], accepts: 1 }), [
    "silent",
    "answered",
    "silent",
  ]);
  assertEquals(await watched({ dials: ["silent", "silent"] }), ["silent", "silent", "anew"]);
});

Deno.test("who can't dial knows nothing", async () => {
  assertEquals(await watched({ dials: ["silent", "unknown", "silent", "unknown"] }), [
    "silent",
    "unknown",
    "silent",
    "unknown",
  ]);
});

Deno.test("where processes share the port a look dials until it reaches this one, and others' silence is theirs", async () => {
  const once: Dialled[] = [...Array<Dialled>(7).fill("silent"), "answered"];
  const heard = [...once, ...once, ...once];
  assertEquals(await watched({ dials: [...heard], accepts: 1, sharers: 2 }), heard);
  const answeredByOthers = Array<Dialled>(32).fill("answered");
  assertEquals(await watched({ dials: [...answeredByOthers], sharers: 2 }), answeredByOthers);
  const deaf = Array.from({ length: 32 }, (_, i): Dialled => i % 2 === 0 ? "silent" : "answered");
  assertEquals(await watched({ dials: [...deaf], sharers: 2 }), [...deaf, "anew"]);
});

Deno.test("a port that can't be listened on anew is given up, once", async () => {
  assertEquals(await watched({ dials: ["silent", "silent"], fails: true }), ["silent", "silent", "anew", "taken"]);
});
