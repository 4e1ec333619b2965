/** Names of goods on real PostgreSQL, as two processes have them: each has a store and a cache of its own. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { GoodsNames, type NamingResult } from "../../src/goods/goods_names.ts";
import { REASONS_MAX } from "../../src/goods/reasons.ts";
import type { Store } from "../../src/store/store.ts";
import { applyTo, set } from "../support/apply.ts";
import { createTestDatabase, ownerOf } from "../support/database.ts";
import { type GoodsProcess, goodsProcess } from "../support/goods_process.ts";
import { NEVER } from "../support/pool_probe.ts";

const FIRST_MADE_ID = 1_000_000_000;
const MANY = 10_000;

function idOf(result: NamingResult): number {
  assert(result.ok, JSON.stringify(result));
  return result.goods.goodsId;
}

Deno.test("of processes that register the same sku at once all get one id", async () => {
  await using database = await createTestDatabase();
  await using a = goodsProcess(database);
  await using b = goodsProcess(database);
  for (let round = 0; round < 20; round++) {
    const results = await Promise.all(
      [a, b, a, b, a, b].map(({ names }) => names.name(`sku ${round}`, undefined, NEVER)),
    );
    assertEquals(new Set(results.map(idOf)).size, 1, `round ${round}`);
  }
  await using owner = ownerOf(database.ownerUrl);
  assertEquals((await owner.sql`select count(*)::int as count from goods`)[0]?.["count"], 20);
});

Deno.test("of different goods that want one sku at once one gets it, and the others learn whose it is", async () => {
  await using database = await createTestDatabase();
  await using a = goodsProcess(database);
  await using b = goodsProcess(database);
  for (let round = 0; round < 20; round++) {
    const results = await Promise.all(
      [1, 2, 3, 4].map((n) => (n % 2 === 0 ? a : b).names.name(`sku ${round}`, round * 10 + n, NEVER)),
    );
    const given = results.filter(({ ok }) => ok).map(idOf);
    assertEquals(given.length, 1, `round ${round}`);
    for (const result of results) if (!result.ok) assertEquals(result.taken?.goodsId, given[0]);
    assertEquals((await a.names.ids([`sku ${round}`], NEVER)).get(`sku ${round}`), given[0]);
  }
});

Deno.test("a goods that gets two skus at once keeps one", async () => {
  await using database = await createTestDatabase();
  await using a = goodsProcess(database);
  await using b = goodsProcess(database);
  for (let goodsId = 1; goodsId <= 20; goodsId++) {
    const results = await Promise.all([a, b].map(({ names }, i) => names.name(`sku ${goodsId}-${i}`, goodsId, NEVER)));
    assertEquals(results.filter(({ ok }) => ok).length, 1);
    const [refused] = results.filter((result) => !result.ok);
    assertEquals(refused?.ok === false && refused.taken?.goodsId, goodsId);
  }
});

Deno.test("an id that is made is in use neither as a goods with stock nor as one with a sku", async () => {
  await using database = await createTestDatabase();
  await using process = goodsProcess(database);
  await applyTo(process.store, ...[0, 1, 3].map((n) => set(`set-${n}`, FIRST_MADE_ID + n, 1)));
  await process.names.name("by hand", FIRST_MADE_ID + 2, NEVER);
  assertEquals(idOf(await process.names.name("made", undefined, NEVER)), FIRST_MADE_ID + 4);
  assertEquals(idOf(await process.names.name("made", undefined, NEVER)), FIRST_MADE_ID + 4);
  assertEquals(idOf(await process.names.name("next", undefined, NEVER)), FIRST_MADE_ID + 5);
});

Deno.test("where thousands of ids in a row are in use they are passed, and too many of them end in no id", async () => {
  await using database = await createTestDatabase();
  await using process = goodsProcess(database);
  await using owner = ownerOf(database.ownerUrl);
  await owner.sql`
    insert into levels (goods_id, on_hand, version) select n, 0, 1 from generate_series(1000000000, 1000014999) as n`;
  // A call looks at 10,000 ids, and the next one goes on behind them.
  assertEquals(await process.names.name("first", undefined, NEVER), { ok: false, taken: undefined });
  assertEquals(idOf(await process.names.name("first", undefined, NEVER)), FIRST_MADE_ID + 15_000);
});

Deno.test("skus are found in their form NFC, and what looks alike stays apart", async () => {
  await using database = await createTestDatabase();
  await using process = goodsProcess(database);
  // Latin, Cyrillic, full width, small, and with a space.
  const alike = ["A", "\u0410", "\uFF21", "a", "A ", "\u212B", "1/2", "½"].map((sku) => sku.normalize("NFC"));
  for (const [i, sku] of alike.entries()) await process.names.name(sku, i + 1, NEVER);
  assertEquals([...await process.names.ids(alike, NEVER)], alike.map((sku, i) => [sku, i + 1]));
  await using other = goodsProcess(database);
  assertEquals([...await other.names.ids(alike, NEVER)], alike.map((sku, i) => [sku, i + 1]));
});

Deno.test("text that is SQL, or an array's, is a sku like any other", async () => {
  await using database = await createTestDatabase();
  await using process = goodsProcess(database);
  const skus = [`'; drop table goods; --`, `"},{"`, `{a,b}`, "NULL", "null", `\\`, `$1`, "%", "\u{10FFFF}", `a"b\\c,d`];
  for (const [i, sku] of skus.entries()) assertEquals(idOf(await process.names.name(sku, i + 1, NEVER)), i + 1);
  await using other = goodsProcess(database);
  assertEquals([...await other.names.ids(skus, NEVER)], skus.map((sku, i) => [sku, i + 1]));
  for (const [i, sku] of skus.entries()) {
    assertEquals((await other.names.find({ goodsId: i + 1, sku: undefined }, NEVER))?.sku, sku);
  }
});

Deno.test(`of ${MANY} unknown skus none is found, and one that is given then is`, async () => {
  await using database = await createTestDatabase();
  await using process = goodsProcess(database);
  await using other = goodsProcess(database);
  const skus = Array.from({ length: MANY }, (_, i) => `unknown ${i}`);
  assertEquals((await process.names.ids(skus, NEVER)).size, 0);
  // That it was unknown is not kept.
  await other.names.name(skus[MANY - 1]!, 7, NEVER);
  assertEquals([...await process.names.ids(skus, NEVER)], [[skus[MANY - 1], 7]]);
});

Deno.test("a sku that is known is not read again", async () => {
  await using database = await createTestDatabase();
  await using process = goodsProcess(database);
  let reads = 0;
  const counted: Store = { ...process.store, readSkus: (...args) => (reads++, process.store.readSkus(...args)) };
  const names = new GoodsNames(counted, { waitingMax: 100 });
  await process.names.name("a", 1, NEVER);
  assertEquals((await names.ids(["a", "b"], NEVER)).get("a"), 1);
  assertEquals((await names.ids(["a"], NEVER)).get("a"), 1);
  assertEquals(reads, 1);
  await Promise.all(Array.from({ length: 50 }, (_, i) => names.ids([`c${i}`], NEVER)));
  assertEquals(reads, 2, "those that ask together are one read");
});

Deno.test("a goods is known by its stock alone, whatever has become of that", async () => {
  await using database = await createTestDatabase();
  await using process = goodsProcess(database);
  await applyTo(process.store, set("set", 1, 1));
  const find = (goodsId: number) => process.names.find({ goodsId, sku: undefined }, NEVER);
  assertEquals(await find(1), { goodsId: 1 });
  await using owner = ownerOf(database.ownerUrl);
  await owner.sql`update levels set deleted_at = now()`;
  assertEquals(await find(1), { goodsId: 1 });
  assertEquals(await find(2), undefined);
});

Deno.test("reasons: the standard ones are there, and one that is added is known to every process", async () => {
  await using database = await createTestDatabase();
  await using a = goodsProcess(database);
  await using b = goodsProcess(database);
  const codes = async ({ reasons }: GoodsProcess) => (await reasons.read(NEVER)).map(({ code }) => code);
  assertEquals(await codes(a), ["correction", "count", "damage", "found", "return", "theft"]);
  assertEquals([a.reasons.isKnown("damage"), a.reasons.isKnown("sample")], [true, false]);
  const sample = { code: "sample", description: "Went out as a sample" };
  assertEquals(await Promise.all([a, b, a, b].map(({ reasons }) => reasons.add(sample, NEVER))), [
    ...Array(4).fill({ ok: true, reason: sample }),
  ]);
  assertEquals(await b.reasons.add({ ...sample, description: "Another" }, NEVER), { ok: false, known: sample });
  assertEquals([b.reasons.isUnread("sample"), b.reasons.isUnread("other"), b.reasons.isUnread("Not one")], [
    false,
    true,
    false,
  ]);
  assert((await codes(b)).includes("sample"));
  assertEquals(b.reasons.codes, ["correction", "count", "damage", "found", "return", "sample", "theft"]);
});

Deno.test(`there are ${REASONS_MAX} reasons at most`, async () => {
  await using database = await createTestDatabase();
  await using process = goodsProcess(database);
  await using owner = ownerOf(database.ownerUrl);
  await owner.sql`insert into reasons select 'r' || n, 'x' from generate_series(1, ${REASONS_MAX - 7}) as n`;
  const add = (code: string) => process.reasons.add({ code, description: "x" }, NEVER);
  assertEquals((await add("last")).ok, true);
  assertEquals(await add("one_more"), { ok: false, known: undefined });
  assertEquals((await add("last")).ok, true, "what is there already is answered");
  assertEquals((await process.reasons.read(NEVER)).length, REASONS_MAX);
});

Deno.test("names and reasons can be added by the server's role, and neither changed nor taken away", async () => {
  await using database = await createTestDatabase();
  await using process = goodsProcess(database);
  await process.names.name("a", 1, NEVER);
  await using server = ownerOf(database.serverUrl);
  for (
    const statement of [
      "update goods set sku = 'b'",
      "delete from goods",
      "update reasons set description = 'b'",
      "delete from reasons",
    ]
  ) {
    const error = await assertRejects(() => server.sql.unsafe(statement), Error);
    assertEquals((error as { code?: string }).code, "42501", statement);
  }
});
