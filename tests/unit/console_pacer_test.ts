/** What is asked for often is done seldom, and never twice at a time. */
import { assertEquals } from "@std/assert";
import { Pacer, type Sight } from "../../src/console/parts/pacer.ts";

const SEEN: Sight = { isHidden: () => false, onceSeen: () => () => {} };

Deno.test("a pacer does once more what was asked for meanwhile, however often, and nothing after it was stopped", async () => {
  const runs: PromiseWithResolvers<void>[] = [];
  const begun: PromiseWithResolvers<void>[] = [Promise.withResolvers(), Promise.withResolvers()];
  const pacer = new Pacer(
    () => {
      const run = Promise.withResolvers<void>();
      begun[runs.length]?.resolve();
      runs.push(run);
      return run.promise;
    },
    1,
    SEEN,
  );
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

Deno.test("a pacer of a page that nobody looks at waits, and does once what was asked for meanwhile", async () => {
  let isHidden = true;
  const looks = new Set<() => void>();
  const see = () => {
    isHidden = false;
    for (const look of [...looks]) {
      looks.delete(look);
      look();
    }
  };
  const onceSeen = (then: () => void) => {
    looks.add(then);
    return () => looks.delete(then);
  };
  let runs = 0;
  const run = () => Promise.resolve(void runs++);
  const pacer = new Pacer(run, 1, { isHidden: () => isHidden, onceSeen });
  for (let i = 0; i < 5; i++) pacer.ask();
  assertEquals([runs, looks.size], [0, 1]);
  see();
  assertEquals([runs, looks.size], [1, 0]);
  pacer.stop();
  await Promise.resolve();
  pacer.stop();
  isHidden = true;
  const other = new Pacer(run, 1, { isHidden: () => isHidden, onceSeen });
  other.ask();
  other.stop();
  assertEquals(looks.size, 0);
  see();
  assertEquals(runs, 1, "it was stopped");
});

Deno.test("what has to be done now is begun when nothing is under way, without a pause, and waited for", async () => {
  const runs: PromiseWithResolvers<void>[] = [];
  const begun: PromiseWithResolvers<void>[] = [Promise.withResolvers(), Promise.withResolvers()];
  const run = () => {
    begun[runs.length]?.resolve();
    const run = Promise.withResolvers<void>();
    runs.push(run);
    return run.promise;
  };
  const pacer = new Pacer(run, 3_600_000, SEEN);
  pacer.ask();
  let isDone = false;
  const now = pacer.now().then(() => isDone = true);
  assertEquals(runs.length, 1, "one at a time");
  runs[0]?.resolve();
  await begun[1]?.promise;
  pacer.ask();
  assertEquals([runs.length, isDone], [2, false], "what began before it was asked for is not what is waited for");
  runs[1]?.resolve();
  await now;
  pacer.stop();
  assertEquals(runs.length, 2);
});

Deno.test("what a busy moment has kept from a pacer is tried again by itself, and nothing else is", async () => {
  const failed = (mayRetry: boolean) => ({ mayRetry });
  const answers = [failed(true), failed(true), undefined, failed(false), failed(true)];
  const begun = answers.map(() => Promise.withResolvers<void>());
  let runs = 0;
  const pacer: Pacer = new Pacer(
    () => {
      begun[runs]?.resolve();
      // Whoever leaves while it is under way is asked nothing more.
      if (runs === 4) pacer.stop();
      return Promise.resolve(answers[runs++]);
    },
    1,
    SEEN,
  );
  const passed = async (ms: number) => await new Promise((resolve) => setTimeout(resolve, ms));
  pacer.ask();
  for (let i = 0; i < 3; i++) await begun[i]?.promise;
  await passed(20);
  assertEquals(runs, 3, "it got through");
  await pacer.now();
  await passed(20);
  assertEquals(runs, 4, "it never will");
  await pacer.now();
  await passed(20);
  assertEquals(runs, 5, "it was stopped");
  pacer.stop();
});
