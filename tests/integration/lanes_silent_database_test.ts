/** What becomes of a batch in pieces when the database answers none of them in time. */
import { assert, assertEquals } from "@std/assert";
import { setTimeout as delay } from "node:timers/promises";
import { OutcomeUnknownError, RowLockedError } from "../../src/store/errors.ts";
import { sell } from "../support/apply.ts";
import { lanesBench } from "../support/lanes_bench.ts";
import { NEVER } from "../support/pool_probe.ts";

/**
 * Stands for the statement limit of a PostgreSQL that answers nothing, which is all that makes it fail. Nobody waits
 * for it here: three of them are more than the time of the batch, whatever else the machine does meanwhile.
 */
const STATEMENT_LIMIT_MS = 100;

Deno.test("a database that falls silent under a batch in pieces is waited for by one of them, not by each", async () => {
  await using on = await lanesBench();
  let isSilent = false;
  let reads = 0;
  const lanes = on.lanes({
    limits: { lockWaitMsMax: 2 * STATEMENT_LIMIT_MS },
    lock: {},
    store: {
      readSnapshot: async (...args) => {
        if (!isSilent) return await on.store.readSnapshot(...args);
        reads++;
        await delay(STATEMENT_LIMIT_MS);
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
