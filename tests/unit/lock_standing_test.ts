/** Where a node stands: every combination of what may be known of it, against the table in standing.ts. */
import { assertEquals } from "@std/assert";
import { standingOf } from "../../src/lock/nodes/standing.ts";

Deno.test("a node votes only if nothing speaks against it, and the first thing that does is the reason", () => {
  let count = 0;
  const LOST = "the connection was closed";
  const NO_LOG_IN = "it refuses the log-in: WRONGPASS";
  for (
    const [noLogInFor, lostFor] of [[undefined, undefined], [undefined, LOST], [NO_LOG_IN, undefined], [
      NO_LOG_IN,
      LOST,
    ]]
  ) {
    for (const refusal of ["OOM", undefined]) {
      for (const twin of [2, undefined]) {
        for (const isKnown of [false, true]) {
          for (const quarantineLeftMs of [1, 0]) {
            const against = [
              noLogInFor === undefined ? [] : ["refused", noLogInFor],
              lostFor === undefined ? [] : ["down", "down: the connection was closed"],
              refusal === undefined ? [] : ["down", "it can't vote: OOM"],
              twin === undefined ? [] : ["down", "it is the same server as node 2: one server has one vote"],
              isKnown ? [] : ["quarantined", "its uptime is not known yet"],
              quarantineLeftMs === 0 ? [] : ["quarantined", "in quarantine"],
            ].find((row) => row.length > 0) ?? ["up", undefined];
            const { state, reason } = standingOf({ noLogInFor, lostFor, refusal, twin, isKnown, quarantineLeftMs });
            assertEquals([state, reason], against);
            count++;
          }
        }
      }
    }
  }
  assertEquals(count, 64);
});
