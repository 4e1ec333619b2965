/**
 * The arms of writes that are lost and made all the same, later than anybody waits for: an order is decided together
 * with what brings its goods in, and decided again without it, because whoever brought it in has left meanwhile.
 */
import { settled, until } from "../../../../src/base/bounded_wait.ts";
import { eventually } from "../../../support/eventually.ts";
import { startOwnPostgres } from "../../../support/own_postgres.ts";
import { stallCommits, type StalledCommits } from "../../../support/stalled_commits.ts";
import type { Answer, Request } from "../history.ts";
import { Link } from "../link.ts";
import { readSessions } from "../sessions.ts";
import { type ArmApp, ArmBench, GOODS, sale } from "./arm_bench.ts";
import { MissedMomentError, resultOf, type Scenario, through } from "./scenarios.ts";

/**
 * Until then whoever decides again without the one that left has answered what it came to, which is behind the 1.5 s
 * for which a write is waited for.
 */
const ANSWERED_MS_MAX = 7500;
const MADE_MS_MAX = 30_000;

const BROUGHT = 5;
const ORDER: Request = order("lost");

/**
 * A set of a goods that is out of stock, whose caller leaves when all is decided, and an order that needs it, in one
 * batch whose write hangs from `stall` to `heal`. The order is sent once, and once more when the write was made.
 */
async function decidedTogether(
  bench: ArmBench,
  server: ArmApp,
  { stall, heal }: { readonly stall: () => Promise<void>; readonly heal: () => Promise<void> },
): Promise<void> {
  await bench.fill(server);
  await bench.decided(server, { kind: "set", goodsId: GOODS, num: 0 });
  // Once without harm: the connection knows the statement then, and the next time one packet is all that it takes.
  const before = await inOneBatch(bench, server, order("before"));
  await server.go();
  await Promise.all(before);
  const setter = new AbortController();
  const [ahead, set, sold] = await inOneBatch(bench, server, ORDER, setter.signal);
  await stall();
  await server.stopAt("before_commit");
  await server.go();
  await server.at("before_commit");
  setter.abort();
  await Promise.all([ahead, set]);
  await server.go();
  await settled(sold, ANSWERED_MS_MAX);
  await heal();
  const first = await sold;
  // Whoever was answered for good does not ask again.
  if (first.outcome === "unknown") await bench.decided(server, ORDER);
}

/**
 * The set, whose caller leaves when the signal aborts, and the order. They stand in line behind an order that has been
 * read for, and is refused; once the server goes on they go on together.
 */
async function inOneBatch(
  bench: ArmBench,
  server: ArmApp,
  asked: Request,
  leave?: AbortSignal,
): Promise<[Promise<Answer>, Promise<Answer>, Promise<Answer>]> {
  await server.stopAt("after_read");
  const ahead = bench.decided(server, sale("ahead"));
  await server.at("after_read");
  const set = bench.send(server, { kind: "set", goodsId: GOODS, num: BROUGHT }, undefined, leave);
  // Decided before the set it would be short of stock, and that for good.
  await inLine(server, 1);
  const sold = bench.send(server, asked);
  await inLine(server, 2);
  return [ahead, set, sold];
}

function order(orderId: string): Request {
  return { kind: "sell", orderId, lines: [{ goodsId: GOODS, num: BROUGHT }] };
}

function inLine(server: ArmApp, count: number): Promise<void> {
  return eventually(() => server.waiting() === count, `${count} stand in line`);
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
  const due = Promise.withResolvers<void>();
  try {
    const env = { CONCURRENCY: "optimistic" };
    const server = await bench.server({ database: through(bench.database, link.port), env });
    await decidedTogether(bench, server, {
      stall: () => Promise.resolve(link.delayOne({ at: ['{"set"'], comesAfter: () => due.promise })),
      heal: async () => {
        due.resolve();
        if (link.lates === 0) throw new MissedMomentError("No packet came late");
        if (!await until(() => link.lateNow === 0, MADE_MS_MAX)) throw new Error("The packet did not come");
        await allMade(bench.database.ownerUrl);
      },
    });
    return await resultOf(bench);
  } finally {
    due.resolve();
    link.close();
  }
};
