/** A naming or a reason whose write was lost: it may have been made, or may still be, and is never called unwritten. */
import { assertEquals, assertInstanceOf } from "@std/assert";
import { GoodsNames } from "../../src/goods/goods_names.ts";
import { Reasons, REASONS_MAX } from "../../src/goods/reasons.ts";
import { Failure } from "../../src/lanes/failure.ts";
import { DatabaseUnavailableError, OutcomeUnknownError } from "../../src/store/errors.ts";
import type { Store } from "../../src/store/store.ts";
import { createTestDatabase, ownerOf } from "../support/database.ts";
import { type GoodsProcess, goodsProcess } from "../support/goods_process.ts";
import { NEVER } from "../support/pool_probe.ts";

/** How an attempt ends: all that are lost are made, but one that is still under way. */
type End = "lost" | "under way" | "away";

/** How the first attempts of a write end, and what its caller hears. */
const LOST_WRITES: readonly [attempts: readonly End[], heard: string][] = [
  [["lost"], "done"],
  [["lost", "lost"], "done"],
  [["lost", "lost", "lost"], "outcome_unknown"],
  [["lost", "away"], "outcome_unknown"],
  [["away"], "database"],
];

/** A process, whose first writes of either kind come to these ends in turn. */
function losing(store: Store, attempts: readonly End[]): Pick<GoodsProcess, "names" | "reasons"> {
  const through = <A extends unknown[], T>(write: (...args: A) => Promise<T>) => {
    const ends = attempts.values();
    return async (...args: A) => {
      const { value: end } = ends.next();
      if (end === "away") throw new DatabaseUnavailableError("can't be reached");
      const answer = end === "under way" ? undefined : await write(...args);
      if (end !== undefined) throw new OutcomeUnknownError("the connection is gone");
      return answer as T;
    };
  };
  const lossy = { ...store, nameGoods: through(store.nameGoods), addReason: through(store.addReason) };
  return {
    names: new GoodsNames(lossy, { waitingMax: 100 }),
    reasons: new Reasons(lossy, { waitingMax: 100 }),
  };
}

for (const [attempts, heard] of LOST_WRITES) {
  Deno.test(`a naming and a reason whose attempts end as ${attempts.join(", ")}: ${heard}`, async () => {
    await using database = await createTestDatabase();
    await using process = goodsProcess(database);
    const reason = { code: "sample", description: "Went out as a sample" };
    const { names, reasons } = losing(process.store, attempts);
    const written = async () => [
      (await process.names.ids(["given", "made"], NEVER)).size,
      (await process.reasons.read(NEVER)).some(({ code }) => code === reason.code),
    ];
    assertEquals(await hears(names.name("given", 7, NEVER)), heard);
    assertEquals(await hears(losing(process.store, attempts).names.name("made", undefined, NEVER)), heard);
    assertEquals(await hears(reasons.add(reason, NEVER)), heard);
    assertEquals(await written(), heard === "database" ? [0, false] : [2, true]);
    assertEquals(await hears(process.names.name("given", 7, NEVER)), "done");
    assertEquals(await process.reasons.add(reason, NEVER), { ok: true, reason });
  });
}

Deno.test("a naming and a reason of which a lost write may still come are not refused for want of room", async () => {
  await using database = await createTestDatabase();
  await using process = goodsProcess(database);
  await using owner = ownerOf(database.ownerUrl);
  const reason = { code: "sample", description: "Went out as a sample" };
  // All ids that the attempts look at are in use, and there is room for one more reason.
  await owner.sql`
    insert into levels (goods_id, on_hand, version) select n, 0, 1 from generate_series(1000000000, 1000049999) as n`;
  await owner.sql`
    insert into reasons select 'r' || n, 'x'
      from generate_series(1, ${REASONS_MAX - 1}::int - (select count(*)::int from reasons)) as n`;
  const begun = Promise.withResolvers<void>();
  const comes = Promise.withResolvers<void>();
  const late = owner.sql.begin(async (sql) => {
    await sql`insert into goods (goods_id, sku) values (7, 'made')`;
    await sql`insert into reasons values (${reason.code}, ${reason.description})`;
    begun.resolve();
    await comes.promise;
  });
  try {
    await begun.promise;
    assertEquals((await process.reasons.add({ code: "last", description: "x" }, NEVER)).ok, true);
    const { names, reasons } = losing(process.store, ["under way"]);
    assertEquals(await hears(names.name("made", undefined, NEVER)), "outcome_unknown");
    assertEquals(await hears(reasons.add(reason, NEVER)), "outcome_unknown");
    // Who has lost nothing is refused.
    assertEquals(await hears(names.name("other", undefined, NEVER)), "refused");
    assertEquals(await hears(reasons.add({ ...reason, code: "other" }, NEVER)), "refused");
  } finally {
    comes.resolve();
    await late;
  }
  assertEquals((await process.names.ids(["made"], NEVER)).get("made"), 7);
  assertEquals(await process.reasons.add(reason, NEVER), { ok: true, reason });
});

/** What the caller hears of a write. */
async function hears(write: Promise<{ readonly ok: boolean }>): Promise<string> {
  return await write.then(({ ok }) => ok ? "done" : "refused", (error) => {
    assertInstanceOf(error, Failure);
    return error.kind;
  });
}
