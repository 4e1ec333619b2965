/** What the machine can do at the most, whoever asks: one after the other, by one caller. */
import { join } from "node:path";
import { Redis } from "ioredis";
import postgres from "postgres";
import type { Limit } from "./report/results.ts";
import { rounded } from "./report/results.ts";
import { median } from "./stats.ts";

/** A page of PostgreSQL's log. */
const PAGE_BYTES = 8192;
/** A file of its log, made beforehand, as its own are. */
const FILE_BYTES = 16 * 1024 * 1024;

/** Where to look. */
export interface LimitPlaces {
  /** A directory on the disk that PostgreSQL writes to. */
  readonly dir: string;
  readonly databaseUrl: string;
  readonly redisUrls: readonly string[];
}

/** Measures each for so long, in ms. */
export async function measureLimits(places: LimitPlaces, windowMs: number): Promise<Limit[]> {
  return [
    await measureFsyncs(places.dir, windowMs),
    await measurePostgres(places.databaseUrl, windowMs),
    await measureRedis(places.redisUrls, windowMs),
  ];
}

/** What a commit waits for, without PostgreSQL. */
async function measureFsyncs(dir: string, windowMs: number): Promise<Limit> {
  const path = join(dir, "fsyncs");
  using file = await Deno.open(path, { write: true, create: true });
  const page = new Uint8Array(PAGE_BYTES).fill(1);
  for (let bytes = 0; bytes < FILE_BYTES; bytes += PAGE_BYTES) file.writeSync(page);
  file.syncSync();
  let at = 0;
  const limit = await limitOf("8 KiB written and synced to disk", windowMs, () => {
    file.seekSync(at, Deno.SeekMode.Start);
    at = (at + PAGE_BYTES) % FILE_BYTES;
    file.writeSync(page);
    file.syncDataSync();
  });
  await Deno.remove(path);
  return limit;
}

async function measurePostgres(url: string, windowMs: number): Promise<Limit> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    return await limitOf("an empty round trip to PostgreSQL", windowMs, () => sql`select 1`);
  } finally {
    await sql.end();
  }
}

async function measureRedis(urls: readonly string[], windowMs: number): Promise<Limit> {
  const nodes = urls.map((url) => new Redis(url));
  try {
    const ask = () => Promise.all(nodes.map((node) => node.ping()));
    return await limitOf(`an empty round trip to ${nodes.length} Redis at once`, windowMs, ask);
  } finally {
    for (const node of nodes) node.disconnect();
  }
}

async function limitOf(title: string, windowMs: number, once: () => unknown): Promise<Limit> {
  // Connections are made, and what is sent again is prepared.
  for (let i = 0; i < 10; i++) await once();
  const tookMs: number[] = [];
  const startedMs = performance.now();
  let nowMs = startedMs;
  while (nowMs - startedMs < windowMs) {
    await once();
    const endedMs = performance.now();
    tookMs.push(endedMs - nowMs);
    nowMs = endedMs;
  }
  const perSecond = tookMs.length * 1000 / (nowMs - startedMs);
  return { title, perSecond: rounded(perSecond), p50Ms: rounded(median(tookMs)) };
}
