/** Processes on one database, each with links of its own, and what their callers saw. */
import type { ModeName, QuorumLoss } from "../../../src/config/mode_names.ts";
import type { PrivateRedis } from "../../../tools/stack/redis.ts";
import { health } from "../../support/callers.ts";
import { lastingDatabase, type TestDatabase } from "../../support/database.ts";
import { atPort } from "../../support/env.ts";
import { until } from "../../../src/base/bounded_wait.ts";
import type { AskedLine, Call, Request } from "./history.ts";
import { startServer, type TestServer } from "../../support/server.ts";
import { Link } from "./link.ts";
import { startSuiteServer, type SuiteServer } from "./suite_server.ts";

/** How one process is set. */
export interface MemberPlan {
  readonly concurrency: ModeName;
  readonly quorumLoss?: QuorumLoss;
}

/**
 * The first of a fleet's processes is its witness: it is never killed, so what it takes of the machine can be compared.
 */
export interface FleetPlan {
  readonly name: string;
  /** Its goods are numbered from here: fleets share the nodes, and must not wait for each other's leases. */
  readonly firstGoods: number;
  readonly members: readonly MemberPlan[];
}

/** Every mode by itself, and all of them beside each other on one database. */
export const FLEETS: readonly FleetPlan[] = [
  { name: "redlock", firstGoods: 1000, members: [{ concurrency: "redlock" }, { concurrency: "redlock" }] },
  { name: "row", firstGoods: 2000, members: [{ concurrency: "row" }, { concurrency: "row" }] },
  { name: "optimistic", firstGoods: 3000, members: [{ concurrency: "optimistic" }, { concurrency: "optimistic" }] },
  {
    name: "mixed",
    firstGoods: 4000,
    members: [
      { concurrency: "redlock", quorumLoss: "row" },
      { concurrency: "row" },
      { concurrency: "optimistic" },
    ],
  },
];

/** Goods of each fleet; the first of them are hot, and the last have so little that orders are refused. */
export const GOODS = 20;
export const HOT_GOODS = 2;
export const SCARCE_GOODS = 4;
/**
 * Behind them: goods that are out of stock until they come in together with an order, one for each of so many callers.
 */
export const EMPTY_GOODS = 2;
/** Goods with holds, policies and locations, from here on; what is asked under ids that begin so is of them. */
export const YARD_FROM = 50;
export const YARD_GOODS = 6;
export const YARD_PREFIX = "y-";
/** From here on, up to the next fleet's: goods that nobody has heard of yet. */
export const NEW_GOODS_FROM = 100;
export const GOODS_OF_FLEET = 1000;

/** The smallest TTL that the settings allow, so that faults can outlast it often. */
export const LOCK_TTL_MS = 4000;
export const LOCK_NODE_TIMEOUT_MS = 100;
/**
 * As the program has it: a batch whose write is lost (which takes 1.5 s to be known) has time left to be decided again.
 */
export const LOCK_WAIT_MS_MAX = 2000;
const SETTINGS = {
  LOCK_TTL_MS: String(LOCK_TTL_MS),
  LOCK_NODE_TIMEOUT_MS: String(LOCK_NODE_TIMEOUT_MS),
  LOCK_WAIT_MS_MAX: String(LOCK_WAIT_MS_MAX),
  DATABASE_POOL_MAX: "4",
  REQUEST_TIMEOUT_MS_MAX: "6000",
  LOG_LEVEL: "silent",
};
const STATUS_MS_MAX = 1000;
const SERVING_MS_MAX = 60_000;

/** What a fleet's processes connect to. */
export interface FleetStores {
  readonly ownerUrl: string;
  readonly serverUrl: string;
  postgresPort(): number;
  readonly redis: readonly PrivateRedis[];
}

/** A process that takes calls. */
export interface Answering {
  readonly name: string;
  readonly server: TestServer;
}

/** One process. */
export class Member {
  readonly name: string;
  readonly plan: MemberPlan;
  readonly isWitness: boolean;
  readonly postgres: Link;
  /** None in the modes without Redis. */
  readonly redis: readonly Link[];
  /** Undefined while it is down. */
  server: SuiteServer | undefined;
  readonly #stores: FleetStores;

  constructor(name: string, plan: MemberPlan, isWitness: boolean, stores: FleetStores) {
    this.name = name;
    this.plan = plan;
    this.isWitness = isWitness;
    this.#stores = stores;
    this.postgres = new Link(stores.postgresPort);
    this.redis = plan.concurrency === "redlock" ? stores.redis.map((node) => new Link(() => node.port)) : [];
  }

  get links(): readonly Link[] {
    return [this.postgres, ...this.redis];
  }

  /** Starts it, and does not wait until it serves. `env` changes its settings. */
  async start(): Promise<void> {
    const { concurrency, quorumLoss } = this.plan;
    this.server = await startSuiteServer({
      database: this.#database(),
      healthy: false,
      env: {
        ...SETTINGS,
        CONCURRENCY: concurrency,
        ...(quorumLoss === undefined ? {} : { QUORUM_LOSS: quorumLoss }),
        ...(this.redis.length === 0
          ? {}
          : { REDIS_URLS: this.redis.map(({ port }, i) => atPort(this.#stores.redis[i]!.url, port)).join(",") }),
      },
    });
  }

  /** Ends it as a crash does. */
  async kill(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    await server?.stop("SIGKILL");
  }

  async isServing(): Promise<boolean> {
    return this.server !== undefined && await health(this.server.url).catch(() => "") === "SERVING";
  }

  /** Whether all nodes of the lock may vote, as it sees them. */
  async seesAllNodes(): Promise<boolean> {
    if (this.server === undefined) return false;
    try {
      const response = await fetch(`${this.server.url}/inventory.v1.LockService/Status`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: "{}",
        signal: AbortSignal.timeout(STATUS_MS_MAX),
      });
      const { nodes } = await response.json() as { nodes: { state: string }[] };
      return nodes.every(({ state }) => state === "LOCK_NODE_STATE_UP");
    } catch {
      return false;
    }
  }

  async close(): Promise<void> {
    await this.kill();
    for (const link of this.links) link.close();
  }

  #database(): TestDatabase {
    const url = new URL(this.#stores.serverUrl);
    url.port = String(this.postgres.port);
    return lastingDatabase(url.pathname.slice(1), this.#stores.ownerUrl, url.href);
  }
}

/** The processes of one database. */
export class Fleet {
  readonly name: string;
  readonly firstGoods: number;
  readonly members: readonly Member[];
  readonly ownerUrl: string;
  /** In the order of their ends. */
  readonly calls: Call[] = [];
  /** An order that a stranger has locked, which callers are to give back meanwhile. */
  lockedOrder: { readonly orderId: string; readonly lines: readonly AskedLine[] } | undefined;
  /** Buyers so far, as its callers count them. */
  buyers = 0;
  /** A process of another version. */
  guest: TestServer | undefined;
  readonly #stores: FleetStores;

  constructor({ name, firstGoods, members }: FleetPlan, stores: FleetStores) {
    this.name = name;
    this.#stores = stores;
    this.firstGoods = firstGoods;
    this.ownerUrl = stores.ownerUrl;
    this.members = members.map((plan, i) => new Member(`${name}-${i + 1}`, plan, i === 0, stores));
  }

  /** Processes that callers may ask now. */
  get answering(): readonly Answering[] {
    const members = this.members.flatMap(({ name, server }) => server === undefined ? [] : [{ name, server }]);
    return this.guest === undefined ? members : [...members, { name: `${this.name}-before`, server: this.guest }];
  }

  /** Those of them that know what the request is of. */
  answeringTo(request: Request): readonly Answering[] {
    const { orderId = "", operationId = "" } = request as { orderId?: string; operationId?: string };
    const goodsIds = "goodsId" in request
      ? [request.goodsId]
      : "lines" in request
      ? request.lines.map(({ goodsId }) => goodsId)
      : [];
    const from = this.firstGoods + YARD_FROM;
    const isOfYard = orderId.startsWith(YARD_PREFIX) || operationId.startsWith(YARD_PREFIX) ||
      goodsIds.some((goodsId) => goodsId >= from && goodsId < from + YARD_GOODS);
    return isOfYard ? this.answering.filter(({ server }) => server !== this.guest) : this.answering;
  }

  /** Starts the program that is at `root` beside the others, without links. */
  async startGuest(root: URL): Promise<TestServer> {
    const { ownerUrl, serverUrl, redis } = this.#stores;
    const database = lastingDatabase(this.name, ownerUrl, serverUrl);
    const env = { ...SETTINGS, REDIS_URLS: redis.map(({ url }) => url).join(",") };
    this.guest = await startServer({ root, database, env, healthy: false });
    return this.guest;
  }

  async start(): Promise<void> {
    await Promise.all(this.members.map((member) => member.start()));
  }

  /** Waits until every process serves. Throws if one does not in time. */
  async allServe(): Promise<void> {
    for (const member of this.members) {
      if (member.server === undefined) await member.start();
      if (!await until(() => member.isServing(), SERVING_MS_MAX)) {
        throw new Error(`${member.name} is not SERVING after ${SERVING_MS_MAX} ms: ${member.server?.output.stderr}`);
      }
    }
  }

  async close(): Promise<void> {
    await this.guest?.stop("SIGKILL");
    await Promise.all(this.members.map((member) => member.close()));
  }
}
