/** What lists of holds cost: a page is read off an index, whatever else there is. */
import { assert, assertEquals } from "@std/assert";
import type postgres from "postgres";
import type { HoldFilter } from "../../src/inventory/hold_lists.ts";
import { dueOrdersStatement, holdsStatement } from "../../src/store/statements/list_holds.ts";
import { shortfallsStatement } from "../../src/store/statements/shortfalls.ts";
import { ownerOf } from "../support/database.ts";
import { lanesBench } from "../support/lanes_bench.ts";
import { NEVER } from "../support/pool_probe.ts";

const HOLDS = 20_000;

/** A node of a plan, as `explain (format json)` shows it. */
interface PlanNode {
  readonly "Node Type": string;
  readonly "Actual Rows": number;
  readonly "Actual Loops": number;
  readonly "Rows Removed by Filter"?: number;
  readonly Plans?: readonly PlanNode[];
}

/** Holds of one unit each of goods 1, one in ten thousand of buyer `rare`. */
async function manyHolds(owner: postgres.Sql): Promise<void> {
  await owner`update levels set reserved = ${HOLDS}, on_hand = ${HOLDS}, holds_from = now() where goods_id = 1`;
  await owner`
    insert into orders (order_id, state, goods_ids, nums, returned, held, expires_at, buyer_id)
    select 'h' || n, 'held', '{1}', '{1}', '{0}', '{1}', date_trunc('milliseconds', now()) + n * interval '1 s',
           case when n % 10000 = 7 then 'rare' else 'b' || n % 100 end
      from generate_series(1, ${HOLDS}::int) as n`;
  await owner`
    insert into holds (goods_id, location_id, expires_at, order_id, num)
    select 1, 0, expires_at, order_id, 1 from orders where state = 'held'`;
}

Deno.test("a page of holds is read off an index, whatever the filter", async () => {
  await using on = await lanesBench();
  await using owner = ownerOf(on.ownerUrl);
  await manyHolds(owner.sql);
  await owner.sql`set enable_seqscan = off`;
  const place = { goodsId: 1, locationId: 0 };
  const filters: readonly HoldFilter[] = [{}, { place }, { buyerId: "b7" }, { buyerId: "rare", place }];
  const middle = { atMs: Date.now() + HOLDS / 2 * 1000, orderId: "h5" };
  await owner.sql`analyze`;
  for (const filter of filters) {
    for (const after of [undefined, middle]) {
      const what = `${JSON.stringify(filter)}, ${after === undefined ? "first page" : "in the middle"}`;
      await assertCheap(owner.sql, holdsStatement(filter, after, 51)(owner.sql), what);
    }
  }
  await assertCheap(owner.sql, dueOrdersStatement({ atMs: 0, orderId: "" }, 200)(owner.sql), "what is due");
  await assertCheap(owner.sql, shortfallsStatement(undefined, 51)(owner.sql), "shortfalls");
  const rare = await on.store.listHolds({ buyerId: "rare", place }, { after: undefined, limit: 51 }, NEVER);
  assertEquals(rare.map(({ orderId }) => orderId), ["h7", "h10007"]);
});

/** The page's rows, a row of another table beside each, and no more are read. */
async function assertCheap(owner: postgres.Sql, statement: unknown, what: string) {
  const [row] = await owner`explain (analyze, format json) ${statement as postgres.PendingQuery<postgres.Row[]>}`;
  const nodes = allNodes(row?.["QUERY PLAN"][0].Plan);
  const names = nodes.map((node) => node["Node Type"]);
  assert(!names.includes("Seq Scan"), `${what}: ${names.join(", ")}`);
  for (const node of nodes) {
    const read = node["Actual Loops"] * (node["Actual Rows"] + (node["Rows Removed by Filter"] ?? 0));
    assert(read <= 500, `${what}: ${read} rows of a ${node["Node Type"]}`);
  }
}

function allNodes(node: PlanNode): PlanNode[] {
  return [node, ...(node.Plans ?? []).flatMap(allNodes)];
}
