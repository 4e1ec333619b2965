/** Whose doing an error is that nobody caught, and how many lines are written about such errors. */
import { assertEquals } from "@std/assert";
import { isOwnFault, LineBudget } from "../../src/process/uncaught_errors.ts";

const thrown = (...places: string[]) => {
  const error = new TypeError("Cannot read properties of null (reading 'toString')");
  error.stack = [`TypeError: ${error.message}`, ...places.map((place) => `    at ${place}`)].join("\n");
  return error;
};
const IOREDIS =
  "DataHandler.shiftCommand (file:///app/node_modules/.deno/ioredis@6.0.0/node_modules/ioredis/built/DataHandler.js:290:41)";
const POSTGRES =
  "Socket.data (file:///app/node_modules/.deno/postgres@3.4.9/node_modules/postgres/src/connection.js:324:9)";
const OURS = "Lanes.take (file:///app/src/lanes/lanes.ts:10:5)";
const RUNTIME = "Socket.emit (ext:deno_node/_events.mjs:442:28)";

Deno.test("an error is ours if our code is the innermost that is not the runtime's", () => {
  assertEquals(isOwnFault(thrown(IOREDIS, RUNTIME)), false);
  assertEquals(isOwnFault(thrown(POSTGRES, OURS)), false, "a driver that we called");
  assertEquals(isOwnFault(thrown(RUNTIME, POSTGRES)), false);
  assertEquals(isOwnFault(thrown(RUNTIME, "eventLoopTick (ext:core/01_core.js:223:9)")), false, "a socket's error");
  assertEquals(isOwnFault(thrown(OURS)), true);
  assertEquals(isOwnFault(thrown(RUNTIME, OURS, POSTGRES)), true, "our listener, called by a driver");
  assertEquals(isOwnFault(new Error("thrown here")), true);
  assertEquals(isOwnFault(undefined), false);
  assertEquals(isOwnFault("a text"), false);
});

Deno.test("five lines in ten seconds, and the next one says how many were left out", () => {
  const budget = new LineBudget();
  const take = (nowMs: number) => {
    const { isWritten, leftOut } = budget.take(nowMs);
    return isWritten ? leftOut : "-";
  };
  assertEquals(Array.from({ length: 8 }, (_, i) => take(i)), [0, 0, 0, 0, 0, "-", "-", "-"]);
  assertEquals([take(9_999), take(10_000), take(10_001)], ["-", 4, 0]);
  assertEquals(budget.takeLeftOut(), 0);
  for (let i = 0; i < 10; i++) take(11_000);
  assertEquals([budget.takeLeftOut(), budget.takeLeftOut()], [7, 0]);
});
