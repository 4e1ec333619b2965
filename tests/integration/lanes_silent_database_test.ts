/** What becomes of a batch in pieces when the database answers none of them in time. */
import { assert, assertEquals } from "@std/assert";
import { OutcomeUnknownError, RowLockedError } from "../../src/store/errors.ts";
import { sell } from "../support/apply.ts";
import { lanesBench } from "../support/lanes_bench.ts";
import { NEVER } from "../support/pool_probe.ts";

Deno.test("a database that falls silent under a batch in pieces is waited for by one of them, not by each", async () => {
  await using on = await lanesBench();
  let isSilent = false;
  let reads = 0;
  const lanes = on.lanes({
    limits: { lockWaitMsMax: 200 },
    lock: {},
    store: {
      readSnapshot: async (...args) => {
        if (!isSilent) return await on.store.readSnapshot(...args);
        reads++;
        // Stands for the statement limit of a silent PostgreSQL, and is waited for by nobody here: three of them are
        // more than the time of the batch, whatever else the machine does meanwhile.
        await new Promise((resolve) => setTimeout(resolve, 100));
        throw new OutcomeUnknownError("PostgreSQL did not answer in time");
      },
      writeChanges: () => {
        isSilent = true;
        return Promise.reject(new RowLockedError("55P03"));
      },
    },
  });
  const results = await lanes.applyAll(Array.from({ length: 100 }, (_, i) => sell(`o-${i}`, [1, 1])), NEVER);
  for (const result of results) assertEquals(result.status === "rejected" && result.reason.kind, "database");
  assert(reads <= 6, `${reads} reads in vain`);
  assertEquals(await on.onHand(1), 10);
});
