/** What the port that sums up makes of what workers answer, and of what they don't. */
import { assertEquals } from "@std/assert";
import { type Ask, Gathering } from "../../src/admin/gather.ts";
import { SILENT } from "../support/silent_log.ts";

/** What a worker answers at `/metrics.json`. */
function answerOf(startedS: number, calls: number, connections: number): string {
  const metric = (name: string, type: string, aggregator: string, value: number) => ({
    name,
    type,
    help: name,
    aggregator,
    values: [{ labels: {}, value }],
  });
  return JSON.stringify([
    metric("calls_total", "counter", "sum", calls),
    metric("connections", "gauge", "sum", connections),
    metric("process_start_time_seconds", "gauge", "min", startedS),
  ]);
}

/** Two workers whose answers can be set; undefined: none. */
function gathering() {
  const answers: (string | undefined)[] = [answerOf(1, 10, 1), answerOf(2, 20, 2)];
  const ask: Ask = (url) => {
    const text = answers[Number(new URL(url).port) - 1];
    return text === undefined ? Promise.reject(new Error("refused")) : Promise.resolve({ status: 200, text });
  };
  const gathered = new Gathering(SILENT, ask);
  gathered.setWorker(1, "http://127.0.0.1:1");
  gathered.setWorker(2, "http://127.0.0.1:2");
  const sums = async () => {
    const { body } = await gathered.pages["/metrics"]!();
    const text = new TextDecoder().decode(body);
    const value = (line: RegExp) => Number(line.exec(text)?.[1]);
    return {
      calls: value(/^calls_total (\d+)$/m),
      connections: value(/^connections (\d+)$/m),
      answering: value(/^holdfast_workers\{state="answering"\} (\d+)$/m),
      silent: value(/^holdfast_workers\{state="silent"\} (\d+)$/m),
    };
  };
  return { answers, sums, pages: gathered.pages };
}

Deno.test("counters and gauges are summed up", async () => {
  assertEquals(await gathering().sums(), { calls: 30, connections: 3, answering: 2, silent: 0 });
});

Deno.test("what a silent worker counted stays, and what it has now does not", async () => {
  const { answers, sums } = gathering();
  await sums();
  answers[1] = undefined;
  assertEquals(await sums(), { calls: 30, connections: 1, answering: 1, silent: 1 });
});

Deno.test("what a worker counted stays when others have taken its place, one after the other", async () => {
  const { answers, sums } = gathering();
  await sums();
  for (const [i, calls] of [[1, 5], [2, 3]] as const) {
    answers[1] = answerOf(2 + i, calls, 2);
    assertEquals((await sums()).calls, i === 1 ? 35 : 38);
    assertEquals((await sums()).calls, i === 1 ? 35 : 38, "looked at once more");
  }
});

const GARBAGE = [
  "",
  "{}",
  "[1]",
  "[null]",
  "<html>",
  `[{"name":"calls_total"}]`,
  answerOf(2, 20, 2).replace('"sum"', '"nothing"'),
  answerOf(2, 20, 2).replace('"value":20', '"value":"20"'),
];
for (const garbage of GARBAGE) {
  Deno.test(`what is no list of metrics counts as no answer: ${garbage}`, async () => {
    const { answers, sums } = gathering();
    await sums();
    answers[1] = garbage;
    assertEquals(await sums(), { calls: 30, connections: 1, answering: 1, silent: 1 });
  });
}

Deno.test("without any worker that answers it is neither alive nor ready, and the sums say so", async () => {
  const { answers, sums, pages } = gathering();
  answers.fill(undefined);
  assertEquals((await sums()).silent, 2);
  assertEquals((await pages["/livez"]!()).status, 503);
  assertEquals((await pages["/readyz"]!()).status, 503);
});
