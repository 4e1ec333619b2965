/** A Holdfast server over the run's own PostgreSQL and Redis, with few goods and nothing beside it. */
import { allocatorEnvironment } from "../../src/process/allocator.ts";
import { until } from "../../src/base/bounded_wait.ts";
import type { Log } from "../../src/telemetry/log.ts";
import type { BenchStack } from "../bench_stack.ts";
import { fill, makeEmptyStock, owner, UNITS } from "../databases.ts";
import type { Memory } from "../load/protocol.ts";
import { BenchProcess } from "../process.ts";
import { checkLedger } from "../stock_totals.ts";
import type { MeasuredServer } from "./measured_server.ts";
import { GOODS } from "./scenarios.ts";

/** The stock that servers of the bench look for, and the database of it where nobody says another. */
const STOCK = "wire";

const READY_MS_MAX = 30_000;

/** Holdfast, with what only it can say of itself. */
export interface OwnServer extends MeasuredServer {
  memory(state: "as it is" | "collected"): Promise<Memory>;
  /** All that is wrong with its ledger, a sentence each. */
  check(): Promise<string[]>;
  /** Ends it at once. */
  kill(): void;
}

/** Starts it on a new database, with the settings that it has by default and {@link GOODS} goods. */
export async function startOwnServer(
  { postgres, redisUrls }: BenchStack,
  log: Log,
  database: string = STOCK,
): Promise<OwnServer> {
  await makeEmptyStock(postgres, database, log);
  const sql = owner(postgres, database);
  await fill(sql, { goods: GOODS, versions: 1 });
  // Whoever measures memory has it collect its garbage; to nobody else it makes a difference.
  const server = new BenchProcess("servers/holdfast.ts", { ...allocatorEnvironment() }, ["--expose-gc"]);
  const settings = {
    HOST: "127.0.0.1",
    PORT: "0",
    CONSOLE: "off",
    REDIS_URLS: redisUrls.join(","),
    LOCK_KEY_PREFIX: `${database}:`,
    DATABASE_URL: postgres.serverUrl(database),
  };
  const stocks = { [STOCK]: settings };
  const url = await server.open({ stocks, articleUrl: "", redisUrls, serverUrls: [], variantUrls: {}, key: "" });
  // Nodes that have just started have no vote for a while.
  if (!await until(() => isServing(url), READY_MS_MAX)) {
    await sql.end({ timeout: 1 });
    await server.stop();
    throw new Error(`Holdfast does not serve after ${READY_MS_MAX} ms`);
  }
  return {
    url,
    cpuMs: () => server.cpuMs(),
    async sold() {
      const [row] = await sql<{ units: string }[]>`select sum(on_hand) as units from levels`;
      return GOODS * UNITS - Number(row?.units);
    },
    memory: (state) => server.memory(state),
    check: () => checkLedger(sql),
    kill: () => server.kill(),
    async close() {
      await sql.end({ timeout: 1 });
      await server.stop();
    },
  };
}

async function isServing(url: string): Promise<boolean> {
  const { ok, body } = await fetch(`${url}/healthz`);
  await body?.cancel();
  return ok;
}
