/**
 * The arms of writes that are lost and made all the same, later than anybody waits for: an order is decided together
 * with what brings its goods in, and decided again without it, because whoever brought it in has left meanwhile.
 */
import { settled, until } from "../../../../src/base/bounded_wait.ts";
import { startOwnPostgres } from "../../../support/own_postgres.ts";
import { stallCommits, type StalledCommits } from "../../../support/stalled_commits.ts";
import type { Answer, Request } from "../history.ts";
import { Link } from "../link.ts";
import { readSessions } from "../sessions.ts";
import { ArmBench, type ArmServer, GOODS, sale } from "./arm_bench.ts";
import { MissedMomentError, resultOf, type Scenario, through } from "./scenarios.ts";

/** In the middle of the first write, which is waited for for 1.5 s. */
const LEAVES_MS = 1200;
/** What was sent stands in line by then. */
const IN_LINE_MS = 150;
/** Until then whoever decides again without the one that left has answered what it came to. */
const ANSWERED_MS_MAX = 3500;
/** How late the packet comes: when all are answered. */
const LATE_MS = 4000;
const MADE_MS_MAX = 10_000;

const BROUGHT = 5;
const ORDER: Request = order("lost");

/**
 * A set of a goods that is out of stock, whose caller leaves, and an order that needs it, in one batch whose write
 * hangs from `stall` to `heal`. The order is sent once, and once more when the write was made.
 */
async function decidedTogether(
  bench: ArmBench,
  server: ArmServer,
  { stall, heal }: { readonly stall: () => Promise<void>; readonly heal: () => Promise<void> },
): Promise<void> {
  await bench.fill(server);
  await bench.decided(server, { kind: "set", goodsId: GOODS, num: 0 });
  // Once without harm: the connection knows the statement then, and the next time one packet is all that it takes.
  const before = await inOneBatch(bench, server, order("before"), () => Promise.resolve());
  await Promise.all(before);
  const [ahead, set, sold] = await inOneBatch(bench, server, ORDER, stall);
  await Promise.all([ahead, set, settled(sold, ANSWERED_MS_MAX)]);
  await heal();
  const first = await sold;
  // Whoever was answered for good does not ask again.
  if (first.outcome === "unknown") await bench.decided(server, ORDER);
}

/** The set and the order, which go on together behind an order that is refused; `stall` comes before that. */
async function inOneBatch(
  bench: ArmBench,
  server: ArmServer,
  asked: Request,
  stall: () => Promise<void>,
): Promise<[Promise<Answer>, Promise<Answer>, Promise<Answer>]> {
  await server.stopAt("after_read");
  const ahead = bench.decided(server, sale("ahead"));
  await server.at("after_read");
  const set = bench.send(server, { kind: "set", goodsId: GOODS, num: BROUGHT }, undefined, LEAVES_MS);
  // Decided before the set it would be short of stock, and that for good.
  await inLine();
  const sold = bench.send(server, asked);
  await inLine();
  await stall();
  await server.go();
  return [ahead, set, sold];
}

function order(orderId: string): Request {
  return { kind: "sell", orderId, lines: [{ goodsId: GOODS, num: BROUGHT }] };
}

function inLine(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, IN_LINE_MS));
}

/** Resolves when no session of the service is in a transaction any more. */
async function allMade(ownerUrl: string): Promise<void> {
  const rests = async () =>
    (await readSessions(ownerUrl)).every(({ transactionSinceMs }) => transactionSinceMs === null);
  if (!await until(rests, MADE_MS_MAX)) throw new Error(`The write was not made after ${MADE_MS_MAX} ms`);
}

/** The commit waits for a standby that does not answer until all are answered. */
export const stalledCommit: Scenario = async (without) => {
  await using postgres = await startOwnPostgres();
  const database = await postgres.database("stalled");
  await using bench = await ArmBench.open(without, database);
  let stalled: StalledCommits | undefined;
  await decidedTogether(bench, await bench.server(), {
    stall: async () => {
      stalled = await stallCommits(database.ownerUrl);
    },
    heal: async () => {
      await stalled?.heal();
      await allMade(database.ownerUrl);
    },
  });
  return await resultOf(bench);
};

/** The packet with the write comes when all are answered, though its connection was closed long before. */
export const latePacket: Scenario = async (without) => {
  await using bench = await ArmBench.open(without);
  const link = new Link(() => Number(new URL(bench.database.serverUrl).port));
  try {
    const env = { CONCURRENCY: "optimistic" };
    const server = await bench.server({ database: through(bench.database, link.port), env });
    await decidedTogether(bench, server, {
      stall: () => Promise.resolve(link.delayOne({ at: ['{"set"'], ms: LATE_MS })),
      heal: async () => {
        if (link.lates === 0) throw new MissedMomentError("No packet came late");
        if (!await until(() => link.lateNow === 0, MADE_MS_MAX)) throw new Error("The packet did not come");
        await allMade(bench.database.ownerUrl);
      },
    });
    return await resultOf(bench);
  } finally {
    link.close();
  }
};
