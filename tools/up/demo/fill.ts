/**
 * Fills a database with the demo shop, once: a catalogue and weeks of history, in one transaction, so that it is there
 * whole or not at all. What is written is what the service's own store writes, decided by the service's own rules, as
 * of times of the past.
 */
import postgres from "postgres";
import { writeStatement } from "../../../src/store/statements/write_changes.ts";
import type { Log } from "../../../src/telemetry/log.ts";
import { demoCatalogue, type DemoGoods } from "./catalogue.ts";
import { DEMO_REASONS, history } from "./history.ts";
import { drawOf } from "./random.ts";

/** The first operation of the opening, by which a database that has the shop is known. */
const MARK = "open-100001";
const SEED = 20_261;
/** Statements that are sent without waiting for the one before. */
const SENT_MAX = 32;
const STATEMENT_LIMIT = "60s";

/** How large a shop. */
export interface DemoSize {
  /** Goods at most; there are some 2,800. */
  readonly goods: number;
  readonly days: number;
}

/** The size of `up --demo`. */
export const DEMO_SIZE: DemoSize = { goods: Infinity, days: 35 };

/** What is in the shop. */
export function demoGoods({ goods }: DemoSize): DemoGoods[] {
  return demoCatalogue(drawOf(SEED), goods);
}

/**
 * Fills it, unless it was filled before; answers whether it was filled now.
 *
 * @param url of the server's role, where nobody else writes meanwhile
 * @param endMs when the history ends, in ms since 1970
 * @throws Error where something else has the shop's ids
 */
export async function fillDemo(url: string, size: DemoSize, endMs: number, log: Log): Promise<boolean> {
  const sql = postgres(url, { max: 1, onnotice: () => {}, fetch_types: false });
  try {
    const marked = await sql`select from operations where operation_id = ${MARK}`;
    if (marked.length > 0) return false;
    log.info({}, "filling the demo shop: weeks of history, which takes some seconds");
    const goods = demoGoods(size);
    // The role's own limits are for one that serves; those of transactions are not the same in all versions.
    await sql`
      select set_config(name, case name when 'statement_timeout' then ${STATEMENT_LIMIT} else '0' end, false)
        from pg_settings
       where name in ('statement_timeout', 'transaction_timeout', 'idle_in_transaction_session_timeout')`;
    let movements = 0;
    let orders = 0;
    await sql.begin(async (block) => {
      await block`insert into reasons ${block([...DEMO_REASONS])} on conflict do nothing`;
      await block`insert into goods ${block(goods.map(({ goodsId, sku }) => ({ goods_id: goodsId, sku })))}`;
      let sent: Promise<unknown>[] = [];
      for (const changes of history({ draw: drawOf(SEED + 1), goods, days: size.days, endMs })) {
        sent.push(writeStatement(changes, Infinity)(block as unknown as postgres.Sql));
        movements += changes.movements.length;
        orders += changes.orders.filter(({ before }) => before === undefined).length;
        if (sent.length < SENT_MAX) continue;
        await Promise.all(sent);
        sent = [];
      }
      await Promise.all(sent);
    });
    log.info({ goods: goods.length, orders, movements }, "the demo shop is filled");
    return true;
  } catch (error) {
    if (!(error instanceof postgres.PostgresError) || error.code !== "23505") throw error;
    throw new Error(
      `Cannot fill the demo shop: its ids or skus are in use here (${error.constraint_name}). ` +
        `Set DATA_DIR to a directory of its own`,
    );
  } finally {
    await sql.end({ timeout: 5 });
  }
}
