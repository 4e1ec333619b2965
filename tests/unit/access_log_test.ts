/** Which calls have a line, and what is in it. */
import { assertEquals } from "@std/assert";
import { AccessLog, ERROR_LINES_PER_SECOND_MAX } from "../../src/telemetry/access_log.ts";
import type { CallEnd, ObservedCall } from "../../src/telemetry/observer.ts";
import { SILENT } from "../support/silent_log.ts";

const CALL: ObservedCall = {
  method: "a.Service/Method",
  system: "grpc",
  startedAt: 1000,
  address: "192.0.2.7",
  requestId: "id",
};
const OK: CallEnd = { code: "OK", reason: undefined, actor: undefined };
const REFUSED: CallEnd = { code: "FAILED_PRECONDITION", reason: "ShortStock", actor: "desk 7" };

function bench(sample: number) {
  const lines: Record<string, unknown>[] = [];
  const clock = { nowMs: 1012.345, random: 0 };
  const log = new AccessLog({
    log: { ...SILENT, info: (fields) => lines.push(fields) },
    sample,
    random: () => clock.random,
    nowMs: () => clock.nowMs,
    traceOf: (carrier) => carrier === traced ? { trace_id: "t", span_id: "s" } : undefined,
  });
  const traced = {};
  return { lines, clock, traced, end: (end: CallEnd, carrier: object = {}) => log.end(CALL, carrier, end) };
}

Deno.test("a line has the call, what it came to, how long it took and its trace, and no field for what is not known", () => {
  const { lines, end, traced } = bench(1);
  end(OK);
  end(REFUSED, traced);
  const known = { method: "a.Service/Method", ms: 12.35, peer: "192.0.2.7", requestId: "id" };
  assertEquals(lines, [
    { ...known, code: "OK" },
    { ...known, code: "FAILED_PRECONDITION", reason: "ShortStock", actor: "desk 7", trace_id: "t", span_id: "s" },
  ]);
});

Deno.test("answered calls have lines by chance; at 0 none has one, whatever chance says", () => {
  const some = bench(0.25);
  for (some.clock.random of [0, 0.2, 0.25, 0.9]) some.end(OK);
  assertEquals(some.lines.length, 2);
  const none = bench(0);
  none.end(OK);
  assertEquals(none.lines.length, 0);
});

Deno.test("errors have a line each up to a bound in a second, and the next line has how many were left out", () => {
  const { lines, clock, end } = bench(0);
  for (let i = 0; i < ERROR_LINES_PER_SECOND_MAX + 5; i++) end(REFUSED);
  assertEquals(lines.length, ERROR_LINES_PER_SECOND_MAX);
  clock.nowMs += 1000;
  end(REFUSED);
  end(REFUSED);
  assertEquals(lines.slice(ERROR_LINES_PER_SECOND_MAX).map(({ leftOut }) => leftOut), [5, undefined]);
});
