/**
 * The program with protections taken out, for tests that must show what each of them is for. Not a server that
 * anybody should run.
 */
import postgres from "postgres";
import { startApp } from "../../src/app.ts";
import { loadConfig, ROW_LOCK_TIMEOUT_MS, STATEMENT_TIMEOUT_MS } from "../../src/config.ts";
import type { Changes } from "../../src/inventory/model.ts";
import type { Lock } from "../../src/lock/lock.ts";
import { createStore, type Store } from "../../src/store/store.ts";
import { createLog } from "../../src/telemetry/create_log.ts";
import type { Log } from "../../src/telemetry/log.ts";

/** A lock that grants everything to everybody. */
export function grantAllLock(): Lock {
  return {
    acquire: () =>
      Promise.resolve({
        remainingMs: () => Number.MAX_SAFE_INTEGER,
        renew: () => Promise.resolve(),
        release: () => Promise.resolve(),
      }),
    wantedByOthers: () => Promise.resolve([]),
    status: () => ({ quorum: 0, ttlMs: 0, nodes: [], leases: [] }),
    ping: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
}

/** The store, but its write believes what was read: no primary key and no version stops a second writer. */
function unfencedStore(url: string, log: Log): Store {
  const store = createStore({
    url,
    max: 8,
    waitersMax: 1000,
    connectTimeoutMs: 3000,
    statementTimeoutMs: STATEMENT_TIMEOUT_MS,
    lockTimeoutMs: ROW_LOCK_TIMEOUT_MS,
    log,
  });
  const sql = postgres(url, { max: 8 });
  return {
    ...store,
    async writeChanges(changes: Changes): Promise<void> {
      for (const { before, after } of changes.levels) {
        if (before === undefined) {
          await sql`insert into stock (goods_id, on_hand, reserved, version)
                    values (${after.goodsId}, ${after.onHand}, ${after.reserved}, ${after.version})`;
        } else {
          await sql`update stock set on_hand = ${after.onHand}, version = ${after.version}
                     where goods_id = ${after.goodsId}`;
        }
      }
      for (const { after } of changes.orders) {
        const { orderId, state, lines, returned } = after;
        await sql`insert into orders (order_id, state, goods_ids, nums, returned)
                  values (${orderId}, ${state}, ${lines.map((line) => line.goodsId)}, ${lines.map((line) => line.num)},
                          ${[...returned]})`;
      }
      for (const m of changes.movements) {
        await sql`insert into movements (goods_id, version, kind, order_id, operation_id, on_hand_delta,
                                         reserved_delta, on_hand_after, reserved_after)
                  values (${m.goodsId}, ${m.version}, ${m.kind}, ${m.orderId ?? null}, ${m.operationId ?? null},
                          ${m.onHandDelta}, ${m.reservedDelta}, ${m.onHandAfter}, ${m.reservedAfter})
                  on conflict do nothing`;
      }
    },
    async close() {
      await store.close();
      await sql.end();
    },
  };
}

/** Serves until SIGTERM, without the lease and, if asked, without the fence. */
export async function serveUnguarded({ fence }: { readonly fence: boolean }): Promise<void> {
  const config = loadConfig((name) => Deno.env.get(name));
  const log = createLog(config.logLevel, config.logFormat);
  const lock = grantAllLock();
  const app = await startApp(
    config,
    fence ? { log, lock } : { log, lock, store: unfencedStore(config.databaseUrl, log) },
  );
  Deno.addSignalListener("SIGTERM", async () => {
    await app.close();
    Deno.exit(0);
  });
  console.log(`Holdfast listens on ${app.url}`);
}
