/**
 * `deno task drills failover [--kills N] [--orders N] [--seed N] [--by haproxy|hosts] [--async yes]`: primaries of a
 * cluster under Patroni are killed under load. The report is on standard output. Exits with 1 where an acknowledged
 * order is lost or doubled, or an outage was not as docs/high-availability.md says; with `--async yes` where none is
 * lost.
 */
import { setTimeout as delay } from "node:timers/promises";
import { DIALS_A_SECOND_MAX } from "../../../src/store/postgres/primary.ts";
import { Random } from "../../faults/suite/random.ts";
import { lastingDatabase } from "../../support/database.ts";
import { startServer } from "../../support/server.ts";
import { startProxy, type TcpProxy } from "../../support/tcp_proxy.ts";
import { audit } from "./audit.ts";
import { Callers } from "./callers.ts";
import { figuresOf, type OutageFigures, outageWords } from "./outage.ts";
import { type Kill, PatroniCluster } from "./patroni.ts";

const CALLERS = 12;
const EXIT_USAGE = 2;
/** What an outage may add to the failover's own time, and how long a call may take that is refused meanwhile; in ms. */
const BACK_MS_MAX = 5000;
const REFUSED_MS_MAX = 2000;
/** A failover that takes longer is none. */
const FAILOVER_MS_MAX = 90_000;
/** An order that is not acknowledged for so long, without an outage, is a fault of the drill. */
const SALES_MS_MAX = 600_000;
/** The primary is killed at a moment of so many ms behind the last order that was waited for. */
const MOMENT_MS_MAX = 1500;
/** Without synchronous replication: so long before the kill the standbys hear of nothing any more. */
const CUT_MS = 1500;

interface Asked {
  readonly kills: number;
  readonly orders: number;
  readonly seed: number;
  readonly by: "haproxy" | "hosts";
  readonly isSynchronous: boolean;
}

/** Reads the arguments; undefined: they can't be read. */
function asked(args: readonly string[]): Asked | undefined {
  const given = new Map<string, string>();
  for (let i = 0; i < args.length; i += 2) given.set(args[i]!, args[i + 1] ?? "");
  const number = (name: string, other: number) => Number(given.get(name) ?? other);
  const by = given.get("--by") ?? "haproxy";
  const isSynchronous = (given.get("--async") ?? "no") !== "yes";
  const plan = {
    kills: number("--kills", 6),
    orders: number("--orders", 20_000),
    seed: number("--seed", Math.floor(Math.random() * 2 ** 31)),
  };
  const isKnown = [...given.keys()].every((name) =>
    ["--kills", "--orders", "--seed", "--by", "--async"].includes(name)
  );
  if (!isKnown || (by !== "haproxy" && by !== "hosts")) return undefined;
  if (!Object.values(plan).every((value) => Number.isSafeInteger(value) && value >= 0) || plan.kills < 1) {
    return undefined;
  }
  return { ...plan, by, isSynchronous };
}

async function main(): Promise<number> {
  const options = asked(Deno.args);
  if (options === undefined) {
    console.error(
      "Usage: deno task drills failover [--kills N] [--orders N] [--seed N] [--by haproxy|hosts] [--async yes]",
    );
    return EXIT_USAGE;
  }
  const { kills, orders, seed, by, isSynchronous } = options;
  const startedMs = performance.now();
  const say = (words: string) => console.error(`[${Math.round((performance.now() - startedMs) / 1000)} s] ${words}`);
  say(`seed ${seed}: starting etcd, three PostgreSQL under Patroni, and HAProxy`);
  await using cluster = await PatroniCluster.start({ isSynchronous });
  const dials: number[] = [];
  const note = { admit: () => Promise.resolve(void dials.push(performance.now())) };
  const targets = by === "haproxy" ? [cluster.haproxyPort] : cluster.nodes.map(({ port }) => port);
  const proxies: readonly TcpProxy[] = targets.map((port) => startProxy(port, note));
  await using _proxies = {
    [Symbol.asyncDispose]: async () => void await Promise.all(proxies.map((proxy) => proxy[Symbol.asyncDispose]())),
  };
  const url = cluster.serverUrl(proxies.map(({ port }) => port));
  await using service = await startServer({ database: lastingDatabase("stock", cluster.ownerUrl, url) });
  const random = new Random(seed);
  const callers = new Callers({ url: service.url, callers: CALLERS, seed });
  await callers.start();
  const outages: OutageFigures[] = [];
  for (let kill = 1; kill <= kills; kill++) {
    await callers.sell(Math.ceil(orders / (kills + 1)), SALES_MS_MAX);
    const primary = await cluster.whole();
    const how: Kill = random.chance(0.5) ? "node" : "postgres";
    await delay(random.integer(0, MOMENT_MS_MAX));
    const end = isSynchronous ? undefined : await cluster.stopReceivers();
    if (end !== undefined) await delay(CUT_MS);
    const killedMs = performance.now();
    await cluster.kill(primary, how);
    await end?.();
    const { node, atMs, absentMs } = await cluster.nextPrimary(FAILOVER_MS_MAX);
    await callers.sell(1, FAILOVER_MS_MAX);
    await delay(REFUSED_MS_MAX);
    const figures = figuresOf({ killedMs, absentMs, writableMs: atMs }, callers.calls, dials);
    outages.push(figures);
    say(`${primary.name} killed (${how}), ${node.name} took its place: ${outageWords(figures)}`);
    cluster.bringBack();
  }
  await callers.sell(Math.max(1, orders - callers.acknowledged), SALES_MS_MAX);
  await callers.finish();
  const found = await audit(callers.calls, cluster.ownerUrlOf(await cluster.whole()));
  const { acknowledged, lost, doubled, violations, ledger } = found;
  const faults = [
    ...doubled,
    ...ledger,
    ...isSynchronous ? [...lost, ...violations] : [],
    ...outages.flatMap(outageFaults),
  ];
  console.log(
    `seed ${seed}, ${isSynchronous ? "synchronous" : "asynchronous"}, by ${by}: ${kills} kills, ` +
      `${acknowledged} acknowledged orders, ${lost.length} lost, ${doubled.length} doubled, ` +
      `${violations.length} violations, ${ledger.length} of the ledger`,
  );
  for (const figures of outages) console.log(`  ${outageWords(figures)}`);
  for (const fault of faults.slice(0, 20)) console.log(`  FAULT ${fault}`);
  if (isSynchronous) return faults.length === 0 ? 0 : 1;
  return lost.length > 0 && violations.length > 0 ? 0 : 1;
}

function outageFaults({ backMs, refusedMsMax, refused, dialsMax }: OutageFigures): string[] {
  const codes = Object.keys(refused).filter((words) => !words.startsWith("unavailable"));
  return [
    ...(backMs > BACK_MS_MAX ? [`the first sale came ${backMs} ms after there was a primary`] : []),
    ...(refusedMsMax > REFUSED_MS_MAX ? [`a call was refused after ${refusedMsMax} ms`] : []),
    ...(dialsMax > DIALS_A_SECOND_MAX ? [`${dialsMax} dials in a second`] : []),
    ...codes.map((code) => `calls were answered ${code}`),
  ];
}

if (import.meta.main) Deno.exit(await main());
