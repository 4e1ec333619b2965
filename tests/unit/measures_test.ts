/** What is measured: into which bucket it falls, and that what others may cause does not make labels. */
import { assertEquals } from "@std/assert";
import * as fc from "fast-check";
import { CallMeasures, OTHER_METHODS } from "../../src/telemetry/call_measures.ts";
import { Distribution, Tally } from "../../src/telemetry/measures.ts";
import { STATEMENT_ERRORS, StockMeasures } from "../../src/telemetry/stock_measures.ts";

Deno.test("an observation is counted in the first bucket whose end it does not pass", () => {
  const bounds = [1, 2.5, 10];
  const wanted = (value: number) => {
    const at = bounds.findIndex((bound) => value <= bound);
    return at < 0 ? bounds.length : at;
  };
  const observed = fc.oneof(fc.constantFrom(...bounds), fc.double({ min: 0, max: 20, noNaN: true }));
  fc.assert(fc.property(fc.array(observed), (values) => {
    const distribution = new Distribution(bounds);
    const counts = [0, 0, 0, 0];
    for (const value of values) {
      distribution.observe(value);
      counts[wanted(value)]!++;
    }
    assertEquals(distribution.counts, counts);
    assertEquals(distribution.sum, values.reduce((sum, value) => sum + value, 0));
  }));
});

Deno.test("all that a tally counts is there from the start", () => {
  const tally = new Tally({ yes: 0, no: 0 });
  tally.add("yes", 2);
  assertEquals(tally.counts, { yes: 2, no: 0 });
});

Deno.test("errors of any name that statements end with come to few labels", () => {
  fc.assert(fc.property(fc.array(fc.string(), { maxLength: 50 }), (names) => {
    const stock = new StockMeasures(() => 0);
    for (const name of [...names, "FenceLostError", "constructor", "__proto__", "toString"]) {
      stock.statement("write_changes")(Object.assign(new Error("x"), { name }));
      stock.lease("acquire")?.(Object.assign(new Error("x"), { name }));
    }
    const labels = stock.statements().map(({ error }) => error);
    assertEquals(labels.filter((label) => !STATEMENT_ERRORS.includes(label)), []);
    const acquired = stock.acquireSeconds.all.map(([result, { counts }]) => [result, counts.reduce((a, b) => a + b)]);
    assertEquals(acquired, [["acquired", 0], ["taken", 0], ["no_quorum", 0], ["failed", names.length + 4]]);
  }));
});

Deno.test("calls of what is not served are one series, whatever they name", () => {
  const calls = new CallMeasures(() => 0);
  for (let i = 0; i < 1000; i++) calls.unserved();
  assertEquals(
    calls.durations().map(({ method, code, seconds }) => [method, code, seconds.counts[0]]),
    [[OTHER_METHODS, "UNIMPLEMENTED", 1000]],
  );
});
