/**
 * What PostgreSQL does with nothing around it: pgbench, which comes with it, and one conditional UPDATE a sale. No
 * orders, no ledger, so nothing in it knows a retry.
 */
import { parsePostgresAddress } from "../../src/config/postgres_address.ts";
import { join } from "node:path";

const CLIENTS = 16;
const THREADS = 2;
/** On top of the measured time. */
const END_MS_MAX = 20_000;

/** How to run it. */
export interface PgbenchOptions {
  /** Directory of PostgreSQL's programs. */
  readonly binDir: string;
  /** For the script. */
  readonly dir: string;
  /** Address of the database, with user and password. */
  readonly url: string;
  /** 1 or 10,000; the table `pgbench_<rows>` has as many. */
  readonly rows: number;
  /** Whole seconds. */
  readonly seconds: number;
}

/**
 * Sells units of random rows, one a transaction, through 16 connections with prepared statements.
 *
 * @returns transactions a second (the time to connect left out), and how many there were
 * @throws Error with pgbench's words when it fails
 */
export async function runPgbench(options: PgbenchOptions): Promise<{ perSecond: number; transactions: number }> {
  const { binDir, dir, rows, seconds } = options;
  const script = join(dir, `pgbench_${rows}.sql`);
  await Deno.writeTextFile(
    script,
    `\\set g random(1, ${rows})\nupdate pgbench_${rows} set num = num - 1 where goods_id = :g and num >= 1;\n`,
  );
  const { hosts: [host], user, password = "", database } = parsePostgresAddress(options.url);
  const { success, stdout, stderr } = await new Deno.Command(join(binDir, "pgbench"), {
    args: [
      ...["--no-vacuum", "--protocol", "prepared", "--file", script],
      ...["--client", String(CLIENTS), "--jobs", String(THREADS), "--time", String(seconds)],
      ...["--host", host!.name, "--port", String(host!.port), "--username", user, database],
    ],
    // By environment, because everybody on the machine can read a command line.
    env: { PGPASSWORD: password, PGSSLMODE: "disable" },
    clearEnv: true,
    stdin: "null",
    signal: AbortSignal.timeout(seconds * 1000 + END_MS_MAX),
  }).output();
  const words = new TextDecoder().decode(stdout);
  const perSecond = Number(/^tps = ([\d.]+)/m.exec(words)?.[1]);
  const transactions = Number(/^number of transactions actually processed: (\d+)/m.exec(words)?.[1]);
  if (!success || Number.isNaN(perSecond) || Number.isNaN(transactions)) {
    throw new Error(`pgbench failed: ${new TextDecoder().decode(stderr)}${words}`);
  }
  return { perSecond, transactions };
}
