/** What somebody changed by hand is found by the comparison with the ledger, and nothing else is. */
import { assertEquals } from "@std/assert";
import postgres from "postgres";
import { until } from "../../src/base/bounded_wait.ts";
import { LedgerCheck } from "../../src/jobs/ledger_check.ts";
import { DatabaseUnavailableError } from "../../src/store/errors.ts";
import type { Log } from "../../src/telemetry/log.ts";
import { sell, set } from "../support/apply.ts";
import { lanesBench } from "../support/lanes_bench.ts";
import { NEVER } from "../support/pool_probe.ts";
import { SILENT } from "../support/silent_log.ts";

const GOODS = Array.from({ length: 7 }, (_, i) => i + 1);
/** So that the last page is not full. */
const PAGE_PLACES = 3;
const WAIT_MS_MAX = 20_000;

/** What somebody did by hand, and what undoes it. */
const CHANGES: readonly (readonly [what: string, by: string, undo: string])[] = [
  ["units on hand", "on_hand = on_hand + 1", "on_hand = on_hand - 1"],
  ["reserved units", "reserved = reserved + 1", "reserved = reserved - 1"],
  ["a version", "version = version - 1", "version = version + 1"],
];

Deno.test("stock that is not what its ledger came to is counted once a pass, named in the log, and forgotten once it is right", async (t) => {
  await using bench = await lanesBench();
  const owner = postgres(bench.ownerUrl, { max: 1, onnotice: () => {} });
  const lanes = bench.lanes();
  for (const goodsId of GOODS) {
    await lanes.apply(set(`set-${goodsId}`, goodsId, 10), NEVER);
    await lanes.apply(sell(`sell-${goodsId}`, [goodsId, 1]), NEVER);
  }
  const lines: unknown[] = [];
  const log: Log = { ...SILENT, error: (fields) => void lines.push(fields) };
  const check = new LedgerCheck({
    store: bench.store,
    log,
    random: () => 0,
    pagePlaces: PAGE_PLACES,
    pause: () => Promise.resolve(),
  });
  /** Resolves when a pass is over that began after now. */
  const pass = async () => {
    const { passes } = check.view;
    await until(() => check.view.passes >= passes + 2, WAIT_MS_MAX);
  };

  await t.step("nothing is wrong while sales go on", async () => {
    const sales = Promise.all(
      Array.from({ length: 50 }, (_, i) => lanes.apply(sell(`more-${i}`, [1 + i % 7, 1]), NEVER)),
    );
    await pass();
    await sales;
    await pass();
    assertEquals([check.view.violations, lines], [0, []]);
  });

  for (const [what, by, undo] of CHANGES) {
    await t.step(what, async () => {
      await owner.unsafe(`update levels set ${by} where goods_id = 5`);
      await pass();
      assertEquals([check.view.violations, lines[0]], [1, { goods: [5], places: 1 }]);
      await owner.unsafe(`update levels set ${undo} where goods_id = 5`);
      await pass();
      assertEquals(check.view.violations, 0);
      lines.length = 0;
    });
  }

  await check.stop();
  await lanes.close();
  await owner.end({ timeout: 1 });
});

Deno.test("what keeps it from comparing is said, but for a database that is away, which others say", async () => {
  const errors = [new DatabaseUnavailableError("away"), new Error("permission denied for table movements")];
  const warnings: unknown[] = [];
  const done = Promise.withResolvers<void>();
  const check = new LedgerCheck({
    store: { checkLedger: () => Promise.reject(errors.shift()) },
    log: { debug() {}, info() {}, warn: ({ error }) => void warnings.push((error as Error).message), error() {} },
    random: () => 0,
    pause(_ms, signal) {
      if (errors.length > 0) return Promise.resolve();
      done.resolve();
      return new Promise((resolve) => signal.addEventListener("abort", () => resolve()));
    },
  });
  await done.promise;
  await check.stop();
  assertEquals(warnings, ["permission denied for table movements"]);
  assertEquals(check.view, { violations: 0, checked: 0, passes: 0 });
});
