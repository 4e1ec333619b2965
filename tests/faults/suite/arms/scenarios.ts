/** What happens in the control arms: each is one fault at the worst moment, on servers of its own. */
import { assertEquals } from "@std/assert";
import { Redis } from "ioredis";
import postgres from "postgres";
import { setTimeout as delay } from "node:timers/promises";
import { startRedisNodes } from "../../../../tools/stack/redis.ts";
import { settled, until } from "../../../../src/base/bounded_wait.ts";
import { createLog } from "../../../../src/telemetry/create_log.ts";
import type { TestDatabase } from "../../../support/database.ts";
import { atPort, testEnvironment } from "../../../support/env.ts";
import { lockRow } from "../../../support/contention.ts";
import { startOwnPostgres } from "../../../support/own_postgres.ts";
import { SALES_WRITE } from "../faults/postgres_faults.ts";
import type { Request } from "../history.ts";
import { Link } from "../link.ts";
import type { Protection } from "../protections/names.ts";
import type { Point } from "../protections/points.ts";
import type { SuiteServer } from "../suite_server.ts";
import { ArmBench, type ArmServer, GOODS, OTHER_GOODS, sale } from "./arm_bench.ts";

/** The machine was too busy for the moment that an arm is about: nothing was shown, and it may be tried again. */
export class MissedMomentError extends Error {
  override name = "MissedMomentError";
}

/**
 * Does the worst without these protections; answers what the checker found, and after how many calls. Where a second
 * server tries while the first stands still it does so for `otherMsMax`, unless it gets what it wants before.
 */
export type Scenario = (without: readonly Protection[], otherMsMax: number) => Promise<ArmResult>;

/** What came of it. */
export interface ArmResult {
  readonly operations: number;
  readonly violations: readonly string[];
}

const TTL_MS = 4000;
/**
 * With the protection the second tries in vain for so long. Without it it gets there, on a busy machine late; the first
 * has its lease for longer.
 */
export const OTHER_MS_MAX = { with: 1500, without: 3500 } as const;
/** For so long a server is waited for that gets as far as a point, and for so long one that must not get there. */
const POINT_MS_MAX = { without: 20_000, with: 3000 } as const;
/**
 * Times that a crash of PostgreSQL is tried before its memory is found to have had something, which without the
 * protection the first has found in every run that is on record.
 */
const CRASHES_MAX = 3;

const SALE_OF_BOTH: Request = {
  kind: "sell",
  orderId: "half",
  lines: [GOODS, OTHER_GOODS].map((goodsId) => ({ goodsId, num: 1 })),
};

/** What came of it by now. */
export async function resultOf(bench: ArmBench): Promise<ArmResult> {
  return { operations: bench.calls.length, violations: await bench.violations() };
}

/**
 * The first server stands still at the point while the second sells the same goods; then the first goes on.
 */
export function meeting(
  point: Point,
  {
    env = {},
    second: secondWithout,
    prepare = () => Promise.resolve(),
    first: firstAsks = sale("first"),
    other: otherAsks = sale("other"),
    meanwhile = () => Promise.resolve(),
    isPaused = false,
  }: {
    readonly env?: Readonly<Record<string, string>>;
    /** What the second does without, where that is not what the first does without. */
    readonly second?: readonly Protection[];
    /** Before both. */
    readonly prepare?: (first: ArmServer, bench: ArmBench) => Promise<void>;
    readonly first?: Request;
    readonly other?: Request;
    /** What happens to the first while it stands still. */
    readonly meanwhile?: (bench: ArmBench) => Promise<void>;
    /** It is stopped as a whole until its lease is over, and until the second has done what it could. */
    readonly isPaused?: boolean;
  } = {},
): Scenario {
  return async (without, otherMsMax) => {
    await using bench = await ArmBench.open(without);
    const program = isPaused ? await bench.process({ env }) : undefined;
    const first = program ?? await bench.server({ env });
    const second = await bench.server({ env, without: secondWithout ?? without });
    // The first then has no levels that it could go by without a read.
    await bench.fill(second);
    await prepare(first, bench);
    await first.stopAt(point);
    const selling = bench.decided(first, firstAsks);
    await first.at(point);
    await meanwhile(bench);
    if (program !== undefined) await pauseBeyondLease(program);
    const other = bench.decided(second, otherAsks);
    await settled(other, otherMsMax);
    program?.signal("SIGCONT");
    await first.go();
    await Promise.all([selling, other]);
    return await resultOf(bench);
  };
}

async function pauseBeyondLease(program: SuiteServer): Promise<void> {
  program.signal("SIGSTOP");
  await delay(TTL_MS + 200);
}

/** Takes the lease of the arm's goods from every node. */
export async function deleteKeys({ keyPrefix }: ArmBench): Promise<void> {
  for (const url of testEnvironment().redisUrls) {
    const node = new Redis(url);
    assertEquals(await node.del(`${keyPrefix}goods:${GOODS}`), 1);
    node.disconnect();
  }
}

/** Three of five nodes lose their keys while the first server has one, and the second asks. */
export const restartedNodes: Scenario = async (without, otherMsMax) => {
  const dir = await Deno.makeTempDir();
  const { redisProgram } = testEnvironment();
  const nodes = await startRedisNodes(5, { dir, program: redisProgram, log: createLog("error", "pretty") });
  try {
    await using bench = await ArmBench.open(without);
    const env = { REDIS_URLS: nodes.map(({ url }) => url).join(",") };
    const [first, second] = await Promise.all([bench.server({ env }), bench.server({ env })]);
    await bench.fill(first);
    await first.stopAt("before_commit");
    const selling = bench.decided(first, sale("first"));
    await first.at("before_commit");
    await Promise.all(
      nodes.slice(0, 3).map(async (node) => {
        await node.kill();
        await node.start();
      }),
    );
    const other = bench.decided(second, sale("other"));
    await settled(other, otherMsMax);
    await first.go();
    await Promise.all([selling, other]);
    return await resultOf(bench);
  } finally {
    await Promise.all(nodes.map((node) => node.kill()));
  }
};

/** The first server reaches two of the five nodes, the second the other three. */
export const partition: Scenario = async (without, otherMsMax) => {
  const urls = testEnvironment().redisUrls;
  const links = [0, 1].map(() => urls.map((url) => new Link(() => Number(new URL(url).port))));
  const env = (side: number) => ({
    REDIS_URLS: (links[side] ?? []).map(({ port }, i) => atPort(urls[i]!, port)).join(","),
  });
  try {
    await using bench = await ArmBench.open(without);
    const [first, second] = await Promise.all([bench.server({ env: env(0) }), bench.server({ env: env(1) })]);
    await bench.fill(second);
    links[0]?.slice(2).forEach((link) => link.sever());
    links[1]?.slice(0, 2).forEach((link) => link.sever());
    await first.stopAt("before_commit");
    // Without the majority it gets there; on a busy machine one of its two nodes may answer too late a few times.
    const is = without.includes("majority") ? "without" : "with";
    const selling = bench.decided(first, sale("first"), is === "without" ? 20 : 5);
    await first.at("before_commit", POINT_MS_MAX[is]).catch(() => {});
    await settled(bench.decided(second, sale("other")), otherMsMax);
    await first.go();
    await selling;
    return await resultOf(bench);
  } finally {
    for (const link of links.flat()) link.close();
  }
};

/** The answer of a sale is lost with its server, or with its caller, and the sale sent again to another. */
export const sentAgain: Scenario = async (without) => {
  await using bench = await ArmBench.open(without);
  const [first, second] = await Promise.all([bench.process(), bench.server()]);
  await bench.fill(first);
  await first.stopAt("after_commit");
  const lost = bench.send(first, sale("again"), -1);
  await first.at("after_commit");
  await first.stop("SIGKILL");
  await lost;
  await bench.decided(second, sale("again"));
  await bench.decided(second, sale("again"));
  return await resultOf(bench);
};

/** A server is killed when everything is decided and nothing is committed. */
export const killedBeforeCommit: Scenario = async (without) => {
  await using bench = await ArmBench.open(without);
  const first = await bench.process();
  await bench.fill(first);
  await first.stopAt("before_commit");
  const lost = bench.send(first, SALE_OF_BOTH);
  await first.at("before_commit");
  // Who is answered before the commit has his answer by now.
  await settled(lost, 300);
  await first.stop("SIGKILL");
  await lost;
  return await resultOf(bench);
};

/** A foreign session has a row in the middle of an order, as one has that locks rows in the wrong order. */
export const lockedRow: Scenario = async (without) => {
  await using bench = await ArmBench.open(without);
  const server = await bench.server();
  await bench.fill(server);
  await using _row = await lockRow(bench.database.ownerUrl, OTHER_GOODS);
  await bench.send(server, SALE_OF_BOTH);
  return await resultOf(bench);
};

/** A migration beside the server reads a row, and writes it back when the server has changed it. */
export const writtenBack: Scenario = async (without) => {
  await using bench = await ArmBench.open(without);
  const server = await bench.server();
  await bench.fill(server);
  const sql = postgres(bench.database.ownerUrl, { max: 1 });
  try {
    const [read] = await sql`select on_hand, version from levels where goods_id = ${GOODS}`;
    await bench.decided(server, sale("beside"));
    const asRead = without.includes("fence") ? sql`` : sql`and version = ${read!.version}`;
    await sql`update levels set on_hand = ${read!.on_hand} where goods_id = ${GOODS} ${asRead}`;
  } finally {
    await sql.end();
  }
  return await resultOf(bench);
};

/** The connection is cut when PostgreSQL has the write. */
export const cutAfterCommit: Scenario = async (without) => {
  await using bench = await ArmBench.open(without);
  const link = new Link(() => Number(new URL(bench.database.serverUrl).port));
  try {
    const server = await bench.server({ database: through(bench.database, link.port) });
    await bench.fill(server);
    link.cutAt({ at: SALES_WRITE, when: "after" });
    const selling = bench.send(server, sale("cut"));
    if (!await until(() => link.cuts > 0, POINT_MS_MAX.without)) throw new MissedMomentError("No write was cut");
    link.heal();
    await selling;
    return await resultOf(bench);
  } finally {
    link.close();
  }
};

/** PostgreSQL is killed right after it has said that it has committed. */
export const killedPostgres: Scenario = async (without) => {
  await using postgres = await startOwnPostgres();
  await using bench = await ArmBench.open(without, await postgres.database("crashed"));
  const program = await bench.server();
  await bench.fill(program);
  let found: string[] = [];
  for (let crash = 0; crash < CRASHES_MAX && found.length === 0; crash++) {
    await bench.decided(program, sale(`crash-${crash}`));
    await postgres.server.kill();
    await postgres.server.start();
    found = await bench.violations();
  }
  return { operations: bench.calls.length, violations: found };
};

/** The database behind a link. */
export function through(database: TestDatabase, port: number): TestDatabase {
  const url = new URL(database.serverUrl);
  url.port = String(port);
  return { ...database, serverUrl: url.href };
}
