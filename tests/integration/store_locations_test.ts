/** The levels of a goods at all of its locations, on real PostgreSQL: each once, of one moment, and bounded. */
import { LOCATIONS_MAX } from "../../src/inventory/levels.ts";
import { assertEquals } from "@std/assert";
import postgres from "postgres";
import { parsePostgresAddress } from "../../src/config/postgres_address.ts";
import { createStore } from "../../src/store/store.ts";
import { applyTo } from "../support/apply.ts";
import { createTestDatabase } from "../support/database.ts";
import { NEVER, TEST_LIMITS } from "../support/pool_probe.ts";

Deno.test("the levels of a goods at all of its locations", async (t) => {
  await using database = await createTestDatabase();
  const store = createStore({ ...TEST_LIMITS, address: parsePostgresAddress(database.serverUrl) });
  const owner = postgres(database.ownerUrl, { max: 1 });
  const set = (goodsId: number, locationId: number, num: number) =>
    applyTo(store, { kind: "set", operationId: `${goodsId}@${locationId}=${num}`, goodsId, locationId, num });
  const found = async (...goodsIds: number[]) =>
    Object.fromEntries(
      Array.from(await store.readLocations(goodsIds, NEVER), ([goodsId, { levels, isCut }]) => {
        const each = levels.map(({ locationId, onHand, reserved }) => [locationId, onHand, reserved]);
        return [goodsId, isCut ? "cut" : each];
      }),
    );

  await t.step("each is answered once, by location, of several goods at once", async () => {
    for (const [goodsId, locationId] of [[5, 7], [5, 0], [5, 2_147_483_647], [6, 3], [4, 9]] as const) {
      await set(goodsId, locationId, goodsId + locationId % 10);
    }
    assertEquals(await found(5, 6, 99), { 5: [[0, 5, 0], [7, 12, 0], [2_147_483_647, 12, 0]], 6: [[3, 9, 0]] });
    assertEquals(await found(99), {});
    assertEquals(await found(), {});
  });

  await t.step("a row that went on to other blocks of its versions is still one", async () => {
    for (let i = 0; i < 70; i++) await set(6, 3, 100 + i);
    assertEquals(await found(6), { 6: [[3, 169, 0]] });
  });

  await t.step("where it is no longer sold it is not shown, and a goods that is sold nowhere has none", async () => {
    await owner`update levels set deleted_at = now() where (goods_id, location_id) in ((5, 7), (4, 9))`;
    assertEquals(await found(5, 4), { 5: [[0, 5, 0], [2_147_483_647, 12, 0]], 4: [] });
  });

  await t.step("what an expired hold has reserved is not counted, and what a live one has is", async () => {
    await owner.begin(async (sql) => {
      await sql`update levels set reserved = 5, holds_from = now() - interval '1 hour' where goods_id = 6`;
      await sql`insert into holds (goods_id, location_id, expires_at, order_id, num)
                values (6, 3, now() - interval '1 minute', 'over', 2), (6, 3, now() + interval '1 hour', 'live', 3)`;
    });
    assertEquals(await found(6), { 6: [[3, 169, 3]] });
  });

  await t.step("there are as many as may be, and one more is said to be too many", async () => {
    await owner`insert into levels (goods_id, location_id, on_hand, version)
                select 8, n, 1, 1 from generate_series(1, ${LOCATIONS_MAX}) as n`;
    assertEquals((await store.readLocations([8], NEVER)).get(8)?.levels.length, LOCATIONS_MAX);
    await owner`insert into levels (goods_id, location_id, on_hand, version) values (8, 0, 1, 1)`;
    assertEquals(await found(8), { 8: "cut" });
  });

  await owner.end();
  await store.close();
});
