/** What is asked for often is done seldom, and never twice at a time. */
import { assertEquals } from "@std/assert";
import { Pacer } from "../../src/console/parts/pacer.ts";

Deno.test("a pacer does once more what was asked for meanwhile, however often, and nothing after it was stopped", async () => {
  const runs: PromiseWithResolvers<void>[] = [];
  const begun: PromiseWithResolvers<void>[] = [Promise.withResolvers(), Promise.withResolvers()];
  const pacer = new Pacer(() => {
    const run = Promise.withResolvers<void>();
    begun[runs.length]?.resolve();
    runs.push(run);
    return run.promise;
  }, 1);
  for (let i = 0; i < 5; i++) pacer.ask();
  assertEquals(runs.length, 1, "one at a time");
  runs[0]?.resolve();
  await begun[1]?.promise;
  assertEquals(runs.length, 2);
  pacer.ask();
  pacer.stop();
  runs[1]?.resolve();
  await new Promise((resolve) => setTimeout(resolve, 1));
  await new Promise((resolve) => setTimeout(resolve, 1));
  assertEquals(runs.length, 2, "it was stopped");
});
