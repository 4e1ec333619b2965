/** What the witnesses take of the machine, while no call is in progress: memory, files, connections. */
import postgres from "postgres";
import { connectionsOn, processSize } from "../../support/process_size.ts";
import type { Stage } from "./stage.ts";

/** Of one process. */
export interface Size {
  readonly name: string;
  readonly residentMiB: number;
  /** Without what callers are connected by: those of a slow moment, when many call at once, stay for a while. */
  readonly openFiles: number;
  /** To PostgreSQL and to Redis, through its links. */
  readonly connections: number;
}

/** Of all witnesses, and of PostgreSQL as a whole. */
export interface Sizes {
  readonly witnesses: readonly Size[];
  /** Sessions of the service, as PostgreSQL counts them. */
  readonly sessions: number;
}

/**
 * A process keeps what it used at its busiest; more than this on top is a leak. The two halves of its young generation
 * have 128 MiB once they were needed, which may be after the first minute.
 */
const GROWTH = { residentMiB: 224, openFiles: 16, connections: 6, sessions: 20 } as const;

/** Measures. Linux only. */
export async function measureSizes({ fleets, postgres: server }: Stage): Promise<Sizes> {
  const witnesses = fleets.flatMap(({ members }) => members.filter(({ isWitness }) => isWitness));
  const sql = postgres(server.ownerUrl("postgres"), { max: 1, onnotice: () => {} });
  const [row] = await sql<{ sessions: number }[]>`
    select count(*)::int as sessions from pg_stat_activity where application_name = 'holdfast'`;
  await sql.end();
  return {
    sessions: row?.sessions ?? 0,
    witnesses: await Promise.all(witnesses.map(async ({ name, server, links }) => {
      if (server === undefined) throw new Error(`${name} is a witness, and is down`);
      const { residentMiB, openFiles } = await processSize(server.pid);
      const callers = await connectionsOn(Number(new URL(server.url).port));
      const connections = links.reduce((sum, { open }) => sum + open, 0);
      return { name, residentMiB: Math.round(residentMiB), openFiles: openFiles - callers, connections };
    })),
  };
}

/** What grew from the first measurement to the last, a sentence each. */
export function leaks(first: Sizes, last: Sizes): string[] {
  const found: string[] = [];
  const compare = (what: string, before: number, after: number, growth: number) => {
    if (after > before + growth) found.push(`${what}: ${before} after the first minute, ${after} at the end`);
  };
  last.witnesses.forEach((size, i) => {
    const before = first.witnesses[i];
    if (before === undefined) return;
    compare(`${size.name}: MiB of memory`, before.residentMiB, size.residentMiB, GROWTH.residentMiB);
    compare(`${size.name}: open files`, before.openFiles, size.openFiles, GROWTH.openFiles);
    compare(`${size.name}: connections`, before.connections, size.connections, GROWTH.connections);
  });
  compare("sessions of PostgreSQL", first.sessions, last.sessions, GROWTH.sessions);
  return found;
}
