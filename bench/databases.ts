/** The databases of a run: what is in them before the first sale. */
import postgres from "postgres";
import type { PrivatePostgres } from "../tools/stack/postgres.ts";
import { migrate } from "../src/migrate/main.ts";
import type { Log } from "../src/telemetry/log.ts";
import { withoutIndexes } from "./indexes.ts";
import { addHolds } from "./live_holds.ts";
import { GOODS } from "./scenarios/scenario.ts";
import type { Sizes } from "./sizes.ts";
import { parsePostgresAddress } from "../src/config/postgres_address.ts";

/** Units of each goods at first: more than a run can sell, less than the largest quantity. */
export const UNITS = 1_000_000_000;
const TEMPLATE = "bench_template";
/** Goods in one recorded operation of the set-up, and lines in one of its orders. */
const GOODS_PER_OPERATION = 1_000;
const LINES_PER_ORDER = 500;

/** Goods and movements of a goods (the first sets its quantity, the others each sell a unit) of one database. */
export interface Content {
  readonly goods: number;
  readonly versions: number;
  /** Live holds, for which a goods has one version only. */
  readonly holds?: number;
}

/** Makes all databases, full, and vacuumed, and written to disk. Answers the names of those that have a stock. */
export async function makeDatabases(server: PrivatePostgres, sizes: Sizes, log: Log): Promise<string[]> {
  await makeEmptyStock(server, TEMPLATE, log);
  const contents: Record<string, Content> = {
    stock: { goods: GOODS, versions: 1 },
    wire: { goods: GOODS, versions: 1 },
    operations: { goods: GOODS, versions: 1 },
    holds: { goods: GOODS, versions: 1, holds: sizes.holds },
    ...Object.fromEntries(sizes.goods.map((goods) => [`goods_${goods}`, { goods, versions: 1 }])),
  };
  const ledger = { [`ledger_${sizes.movements}`]: { goods: 1_000, versions: sizes.movements / 1_000 } };
  // The large ledger on one core, everything else on the other.
  await Promise.all([fillAll(server, ledger), fillAll(server, contents), makeBaselines(server)]);
  const sql = owner(server, "postgres");
  await sql.unsafe("checkpoint");
  await sql.end();
  return [...Object.keys(contents), ...Object.keys(ledger)];
}

/** Makes a database with the tables of a stock, and nothing in them. */
export async function makeEmptyStock(server: PrivatePostgres, name: string, log: Log): Promise<void> {
  await server.createDatabase(name);
  const [owning, serving] = [server.ownerUrl(name), server.serverUrl(name)].map((url) => parsePostgresAddress(url));
  await migrate({ owner: owning!, server: serving!, direction: "up", log });
}

/** A connection for the owner: large sorts and indexes are made in memory, and statements are not compiled. */
export function owner(server: PrivatePostgres, database: string): postgres.Sql {
  return postgres(server.ownerUrl(database), {
    max: 1,
    onnotice: () => {},
    connection: {
      application_name: "holdfast-bench",
      options: "-c work_mem=512MB -c maintenance_work_mem=512MB -c jit=off",
    },
  });
}

async function fillAll(server: PrivatePostgres, contents: Readonly<Record<string, Content>>): Promise<void> {
  for (const [name, content] of Object.entries(contents)) {
    await server.createDatabase(name, TEMPLATE);
    const sql = owner(server, name);
    try {
      await fill(sql, content);
    } finally {
      await sql.end();
    }
  }
}

/** Rows that a ledger check finds whole: stock, the operations that set it, and the orders that sold from it. */
export async function fill(sql: postgres.Sql, { goods, versions, holds = 0 }: Content): Promise<void> {
  await withoutIndexes(sql, ["movements", "orders", "holds"], async () => {
    await addSales(sql, { goods, versions });
    if (holds > 0) await addHolds(sql, goods, holds);
  });
  await sql.unsafe("vacuum analyze");
}

async function addSales(sql: postgres.Sql, { goods, versions }: Content): Promise<void> {
  await sql.unsafe(`
    insert into levels (goods_id, on_hand, reserved, version)
    select goods_id, ${UNITS} - ${versions} + 1, 0, ${versions} from generate_series(1, ${goods}) as goods_id`);
  await sql.unsafe(`
    insert into operations (operation_id, kind, goods_ids, nums)
    select 'set-' || (goods_id - 1) / ${GOODS_PER_OPERATION}, 'set', array_agg(goods_id), array_agg(${UNITS})
      from generate_series(1, ${goods}) as goods_id group by 1`);
  await sql.unsafe(`
    insert into orders (order_id, state, goods_ids, nums, returned)
    select 'sold-' || version || '-' || part, 'sold',
           array(select part * ${LINES_PER_ORDER} + line from generate_series(1, ${LINES_PER_ORDER}) as line),
           array_fill(1, array[${LINES_PER_ORDER}]), array_fill(0, array[${LINES_PER_ORDER}])
      from generate_series(2, ${versions}) as version, generate_series(0, ${
    Math.ceil(goods / LINES_PER_ORDER) - 1
  }) as part`);
  await sql.unsafe(`
    insert into movements (goods_id, version, kind, order_id, operation_id, on_hand_delta, reserved_delta,
                           on_hand_after, reserved_after)
    select goods_id, version, case version when 1 then 'set' else 'sell' end,
           case when version > 1 then 'sold-' || version || '-' || (goods_id - 1) / ${LINES_PER_ORDER} end,
           case version when 1 then 'set-' || (goods_id - 1) / ${GOODS_PER_OPERATION} end,
           case version when 1 then ${UNITS} else -1 end, 0, ${UNITS} - version + 1, 0
      from generate_series(1, ${goods}) as goods_id, generate_series(1, ${versions}) as version`);
}

/** The tables of the article's approach and of pgbench. */
async function makeBaselines(server: PrivatePostgres): Promise<void> {
  await server.createDatabase("baselines");
  const sql = owner(server, "baselines");
  try {
    for (const [table, goods] of [["article_stock", GOODS], ["pgbench_1", 1], [`pgbench_${GOODS}`, GOODS]] as const) {
      await sql.unsafe(`create table ${table} (goods_id integer primary key, num integer not null)`);
      await sql.unsafe(`insert into ${table} select goods_id, ${UNITS} from generate_series(1, ${goods}) as goods_id`);
    }
    await sql.unsafe("vacuum analyze");
  } finally {
    await sql.end();
  }
}
