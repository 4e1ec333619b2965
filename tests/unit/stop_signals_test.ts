import { assertEquals } from "@std/assert";
import { requestFilter } from "../../src/process/stop_signals.ts";

Deno.test("requestFilter() takes the same signal within half a second as one request", () => {
  const isRequest = requestFilter();
  const seen: [Deno.Signal, number][] = [["SIGINT", 0], ["SIGINT", 200], ["SIGINT", 500], ["SIGINT", 501]];
  assertEquals(seen.map(([signal, atMs]) => isRequest(signal, atMs)), [true, false, false, true]);
});

Deno.test("requestFilter() takes another signal as a request of its own", () => {
  const isRequest = requestFilter();
  assertEquals([isRequest("SIGTERM", 0), isRequest("SIGINT", 1), isRequest("SIGTERM", 2)], [true, true, false]);
});
