/**
 * Two servers on one database, and a caller that notes what it sees. Only those that are killed or stopped as a whole
 * are processes of their own, of which each start takes 0.35 s of CPU.
 */
import { setTimeout as delay } from "node:timers/promises";
import { loadConfig } from "../../../../src/config/config.ts";
import type { KeptClocks } from "../../../../src/lanes/kept_levels.ts";
import { testEnvironment } from "../../../support/env.ts";
import { until } from "../../../../src/base/bounded_wait.ts";
import { checkLedger } from "../../../support/ledger_check.ts";
import { createTestDatabase, type TestDatabase } from "../../../support/database.ts";
import { check } from "../checker/check.ts";
import { readTables } from "../checker/tables.ts";
import { type Answer, type Call, CUT, isForNow, type Request } from "../history.ts";
import { post } from "../post.ts";
import type { Protection } from "../protections/names.ts";
import { startSuiteApp } from "../suite_app.ts";
import { startSuiteServer, type Stops, stopsOf, type SuiteServer } from "../suite_server.ts";
import { SILENT } from "../../../support/silent_log.ts";

/** The goods of every arm, of which there are so many at first. */
export const GOODS = 424_242;
export const OTHER_GOODS = 424_243;
export const STOCK = 100;
const CALL_MS_MAX = 8000;
const RETRY_MS = 100;
/** Only a hang reaches these: beside other work a server has taken more than twenty seconds to be ready. */
const FILL_MS_MAX = 30_000;
const READY_MS_MAX = 60_000;
/** The wait is long enough for a batch whose write was lost to be decided again. */
const SETTINGS = { LOCK_TTL_MS: "4000", LOCK_NODE_TIMEOUT_MS: "250", LOCK_WAIT_MS_MAX: "2000", LOG_LEVEL: "silent" };

/** Where calls go, and where they stop. */
export interface ArmServer extends Stops {
  readonly url: string;
}

/** One that is in this process. */
export interface ArmApp extends ArmServer {
  /** Operations that stand in line now; those of a batch under way do not. */
  waiting(): number;
}

/** How one is started, where that is not as the arm says. */
export interface ArmServerOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly database?: TestDatabase;
  readonly without?: readonly Protection[];
  /** Of one that is in this process, by which it keeps levels; absent: its own. */
  readonly clocks?: KeptClocks;
}

/** What an arm works with. */
export class ArmBench implements AsyncDisposable {
  /** What the keys of its servers begin with on the nodes, which it shares with other arms. */
  readonly keyPrefix = `arm-${crypto.randomUUID()}:`;
  readonly calls: Call[] = [];
  readonly #without: readonly Protection[];
  readonly #ends: (() => Promise<unknown>)[] = [];
  readonly #database: TestDatabase;
  #operations = 0;

  private constructor(database: TestDatabase, without: readonly Protection[]) {
    this.#database = database;
    this.#without = without;
  }

  /** Its database is new, unless one is given. */
  static async open(without: readonly Protection[], database?: TestDatabase): Promise<ArmBench> {
    return new ArmBench(database ?? await createTestDatabase(), without);
  }

  get database(): TestDatabase {
    return this.#database;
  }

  /** Starts one in this process, in the mode `redlock` unless `env` says otherwise. */
  async server(options: ArmServerOptions = {}): Promise<ArmApp> {
    const env: Readonly<Record<string, string>> = {
      PORT: "0",
      ADMIN_PORT: "off",
      DATABASE_URL: (options.database ?? this.#database).serverUrl,
      REDIS_URLS: testEnvironment().redisUrls.join(","),
      ...this.#settings(options),
    };
    const said: string[] = [];
    const { app, points } = await startSuiteApp(loadConfig((name) => env[name]), {
      without: new Set(options.without ?? this.#without),
      say: (line) => said.push(line),
      log: SILENT,
      clocks: options.clocks,
    });
    this.#ends.push(async () => {
      points.obey("forget");
      points.obey("go");
      await app.close();
    });
    if (!await until(() => app.served.health().ready, READY_MS_MAX)) throw new Error("A server does not become ready");
    const say = (line: string) => Promise.resolve(points.obey(line));
    return { url: app.url, waiting: () => app.served.lanes.waiting, ...stopsOf(say, (line) => said.includes(line)) };
  }

  /** Starts one as a process. */
  async process(options: ArmServerOptions = {}): Promise<SuiteServer> {
    const server = await startSuiteServer({
      database: options.database ?? this.#database,
      without: options.without ?? this.#without,
      env: this.#settings(options),
    });
    this.#ends.push(() => server.stop("SIGKILL"));
    return server;
  }

  #settings({ env }: ArmServerOptions): Record<string, string> {
    return { ...SETTINGS, CONCURRENCY: "redlock", LOCK_KEY_PREFIX: this.keyPrefix, ...env };
  }

  /** Puts stock in. */
  async fill(server: ArmServer): Promise<void> {
    const goods = [GOODS, OTHER_GOODS];
    for (const goodsId of goods) await this.decided(server, { kind: "set", goodsId, num: STOCK });
    // Not every server of an arm answers after its commit.
    const isFilled = async () => (await readTables(this.#database.ownerUrl)).stock.length === goods.length;
    if (!await until(isFilled, FILL_MS_MAX)) throw new Error(`The stock is not there after ${FILL_MS_MAX} ms`);
  }

  /** One call, whose caller leaves when the signal aborts. */
  async send(
    server: ArmServer,
    request: Request,
    operation = this.#operations++,
    leave?: AbortSignal,
  ): Promise<Answer> {
    const invokedMs = performance.now();
    const wallMs = Date.now();
    const answer = await post(server.url, request, { leave, leaveMs: CALL_MS_MAX });
    const answeredMs = answer === CUT ? undefined : performance.now();
    this.calls.push({ operation, request, server: server.url, invokedMs, wallMs, answeredMs, answer });
    return answer;
  }

  /** The same until it is answered for good, bounded. */
  async decided(server: ArmServer, request: Request, tries = 100): Promise<Answer> {
    const operation = this.#operations++;
    for (let attempt = 1;; attempt++) {
      const answer = await this.send(server, request, operation);
      const open = answer.outcome === "unknown" || isForNow(answer);
      if (!open || attempt === tries) return answer;
      await delay(RETRY_MS);
    }
  }

  /** What the checker says in the end. */
  async violations(): Promise<string[]> {
    const { ownerUrl } = this.#database;
    return [...check({ calls: this.calls }, await readTables(ownerUrl)), ...await checkLedger(ownerUrl)];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#ends.map((end) => end()));
    await this.#database.drop();
  }
}

/** A sale of one unit of the arm's goods. */
export function sale(orderId: string): Request {
  return { kind: "sell", orderId, lines: [{ goodsId: GOODS, num: 1 }] };
}
