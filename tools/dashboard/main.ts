/**
 * `deno task dashboard`: the pictures of docs/operating.md. Starts a service of its own by `up`, makes
 * a load for some minutes, has a Prometheus scrape it, and draws what the panels of ops/dashboard.json show. By hand,
 * and no part of any check: run it when panels change, and look at what came of it. `PROMETHEUS` is the program.
 */
import { join } from "node:path";
import { findRecords } from "../stack/process_record.ts";
import { startOwnUp, taskArgs } from "../own_up.ts";
import { freePort } from "../stack/ports.ts";
import { type Panel, pictureName, type Row, rowsOf, withoutVariables } from "./dashboard.ts";
import { sellFor, type Shop, stock } from "./load.ts";
import { type Line, picture } from "./picture.ts";
import { type Prometheus, type Series, startPrometheus } from "./prometheus.ts";

const SCRAPE_EVERY_S = 1;
const STEP_S = 3;
/** Rates over so many scrapes. */
const WINDOW = "10s";
/** More than one address may have. */
const IDLE_CONNECTIONS = 1_050;
const ROOT = new URL("../../", import.meta.url).pathname;
const PICTURES = new URL("../../docs/pictures/", import.meta.url);

/**
 * The load, step by step: callers, the pause behind each call, how long, how many nodes stand still meanwhile, and how
 * many connections are open that nobody uses.
 */
const STEPS = [
  { callers: 8, pauseMs: 40, forMs: 40_000, nodesPaused: 0, idle: 0 },
  { callers: 8, pauseMs: 40, forMs: 20_000, nodesPaused: 1, idle: 0 },
  { callers: 8, pauseMs: 40, forMs: 20_000, nodesPaused: 3, idle: 0 },
  { callers: 8, pauseMs: 40, forMs: 20_000, nodesPaused: 0, idle: 0 },
  { callers: 200, pauseMs: 5, forMs: 15_000, nodesPaused: 0, idle: 0 },
  { callers: 8, pauseMs: 40, forMs: 15_000, nodesPaused: 0, idle: IDLE_CONNECTIONS },
  { callers: 8, pauseMs: 40, forMs: 20_000, nodesPaused: 0, idle: 0 },
] as const;

async function main(): Promise<void> {
  const dashboard = JSON.parse(await Deno.readTextFile(new URL("../../ops/dashboard.json", import.meta.url)));
  await using up = await startOwnUp("dashboard", { AUTH: "keys" });
  const shop: Shop = { url: up.url, headers: { authorization: `Bearer ${await newKey(up.dataDir)}` } };
  await using prometheus = await startPrometheus({
    program: Deno.env.get("PROMETHEUS") ?? "prometheus",
    dir: up.dir,
    port: freePort(),
    target: `127.0.0.1:${up.adminPort}`,
    everyS: SCRAPE_EVERY_S,
  });
  await stock(shop);
  const fromS = Math.floor(Date.now() / 1000);
  await makeLoad(shop, up.dataDir);
  await draw(rowsOf(dashboard), prometheus, fromS, Math.floor(Date.now() / 1000));
}

/** A key with every right, made as an owner makes one. Throws Error with the command's words. */
async function newKey(dataDir: string): Promise<string> {
  const place = (await findRecords(dataDir)).find(({ record }) => record.name === "postgres")?.dir;
  if (place === undefined) throw new Error("`up` has no PostgreSQL");
  const [password, port] = ["owner_password", "port"].map((name) => Deno.readTextFileSync(join(place, name)).trim());
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...taskArgs("keys"), "add", "shop", "--rights=operator"],
    cwd: ROOT,
    env: { DATABASE_OWNER_URL: `postgres://holdfast_owner:${password}@127.0.0.1:${port}/holdfast?sslmode=disable` },
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout).trim();
}

async function makeLoad(shop: Shop, dataDir: string): Promise<void> {
  const nodes = (await findRecords(dataDir)).filter(({ record }) => record.name === "redis").map(({ record }) =>
    record
  );
  try {
    for (const { callers, pauseMs, forMs, nodesPaused, idle } of STEPS) {
      nodes.forEach(({ pid }, i) => Deno.kill(pid, i < nodesPaused ? "SIGSTOP" : "SIGCONT"));
      const connections = await Promise.all(Array.from({ length: idle }, () => connectTo(shop.url)));
      await sellFor(shop, callers, pauseMs, forMs);
      for (const connection of connections) connection?.close();
    }
  } finally {
    for (const { pid } of nodes) Deno.kill(pid, "SIGCONT");
  }
}

async function connectTo(url: string): Promise<Deno.Conn | undefined> {
  return await Deno.connect({ hostname: "127.0.0.1", port: Number(new URL(url).port) }).catch(() => undefined);
}

async function draw(rows: readonly Row[], prometheus: Prometheus, fromS: number, toS: number): Promise<void> {
  await Deno.mkdir(PICTURES, { recursive: true });
  for (const row of rows) {
    const lines = new Map<number, readonly Line[]>();
    for (const panel of row.panels) lines.set(panel.id, await linesOf(panel, prometheus, fromS, toS));
    const name = pictureName(row);
    await Deno.writeTextFile(new URL(name, PICTURES), picture(row, lines, fromS));
    const empty = row.panels.filter(({ id }) => lines.get(id)?.length === 0).map(({ title }) => title);
    console.log(`${name}${empty.length === 0 ? "" : `; without data: ${empty.join(", ")}`}`);
  }
}

async function linesOf(panel: Panel, prometheus: Prometheus, fromS: number, toS: number): Promise<Line[]> {
  const lines: Line[] = [];
  for (const { expr, legendFormat } of panel.targets) {
    const found = await prometheus.range(withoutVariables(expr, WINDOW), fromS, toS, STEP_S);
    lines.push(...found.map(({ metric, values }) => ({ name: legend(legendFormat, metric), values })));
  }
  return lines;
}

function legend(format: string, labels: Series["metric"]): string {
  return format.replaceAll(/\{\{\s*(\w+)\s*\}\}/g, (_, label) => labels[label] ?? "");
}

if (import.meta.main) await main();
