/**
 * `deno task frames [--smoke]`: how smooth the list of goods is. A service of its own with 100,000 goods, of which
 * 1,000 change each second, and the page in a browser, which is scrolled by wheel, by bar and by keys. The browser
 * itself says how long its frames took. Fails where one took over 50 ms. By hand, on a machine that does nothing else.
 *
 * With `--smoke` it is short and of few goods: whether it runs, and no figures.
 */
import { setTimeout as delay } from "node:timers/promises";
import { createLog } from "../../src/telemetry/create_log.ts";
import { startOwnUp } from "../own_up.ts";
import { bringClientPrograms } from "../test/client_programs.ts";
import { EXIT_USAGE } from "../../src/process/exit_codes.ts";
import { dragBar, focusFirst, LONG_MS, pressPageDown, type Seen, turnWheel, watchFrames } from "./page.ts";
import { type Changes, makeChanges, makeShop } from "./shop.ts";

const CHANGES_PER_S = 1000;
const EXIT_LONG = 1;
const WHOLE = { goods: 100_000, forMs: 10_000 };
const SMOKE = { goods: 5_000, forMs: 1_500 };
/** Longest wait for the page, in ms. */
const WAIT_MS_MAX = 60_000;
const VIEWPORT = { width: 1280, height: 800 };
/** Rows that are in view at the top of the list. */
const IN_VIEW = 18;

async function main(): Promise<number> {
  const args = Deno.args.filter((arg) => arg !== "--");
  if (args.some((arg) => arg !== "--smoke")) {
    console.error("Usage: deno task frames [--smoke]");
    return EXIT_USAGE;
  }
  const isSmoke = args.includes("--smoke");
  const { goods, forMs } = isSmoke ? SMOKE : WHOLE;
  const { paths: [program], env } = await bringClientPrograms(createLog("warn", "pretty"), ["browser"]);
  if (program === undefined) throw new Error("there is no Chromium, and apt could not bring it");
  // It is read when the driver of the browser is loaded.
  for (const [name, value] of Object.entries(env)) Deno.env.set(name, value);
  await using up = await startOwnUp("frames", {});
  await makeShop(up.url, goods, report);
  const anyGoods = () => 1 + Math.floor(goods * Math.random());
  const changes = makeChanges(up.url, CHANGES_PER_S, anyGoods);
  try {
    const seen = await look(program, up.url, { goods, forMs, changes });
    console.log(table(seen));
    const long = seen.flatMap(({ long }) => long);
    report(long.length === 0 ? `no frame over ${LONG_MS} ms` : `${long.length} frames over ${LONG_MS} ms`);
    return long.length === 0 || isSmoke ? 0 : EXIT_LONG;
  } finally {
    await changes.stop();
  }
}

interface Looked {
  readonly goods: number;
  readonly forMs: number;
  readonly changes: Changes;
}

async function look(program: string, url: string, { goods, forMs, changes }: Looked): Promise<Seen[]> {
  const { chromium } = await import("playwright-core");
  const browser = await chromium.launch({
    executablePath: program,
    // As root a browser starts without its sandbox alone.
    args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
  });
  try {
    const page = await browser.newPage({ viewport: VIEWPORT });
    page.setDefaultTimeout(WAIT_MS_MAX);
    await page.goto(`${url}/goods`);
    await page.getByText(`${goods.toLocaleString("en")} rows`, { exact: true }).waitFor();
    await page.locator("[data-flash]").first().waitFor({ state: "attached" }).catch(() => report("nothing changes"));
    const seen: Seen[] = [];
    const watch = async (name: string, act: () => Promise<void>) => {
      const before = changes.made;
      const startMs = performance.now();
      seen.push(await watchFrames(browser, page, name, act));
      const perSecond = (changes.made - before) / ((performance.now() - startMs) / 1000);
      report(`${name}: ${Math.round(perSecond)} changes a second`);
    };
    await watch("wheel, while pages are read", () => turnWheel(page, forMs));
    await watch("bar dragged all over the list, while pages are read", () => dragBar(page, forMs));
    await page.getByRole("grid").evaluate((grid) => grid.scrollTop = grid.scrollHeight);
    await page.locator(`[aria-rowindex="${goods + 1}"] .name a`).waitFor();
    await page.getByRole("grid").evaluate((grid) => grid.scrollTop = 0);
    await watch("wheel, all rows read", () => turnWheel(page, forMs));
    await focusFirst(page);
    await watch("page by page by key", () => pressPageDown(page, forMs));
    await page.getByRole("grid").evaluate((grid) => grid.scrollTop = 0);
    changes.draw = () => 1 + Math.floor(IN_VIEW * Math.random());
    await watch("standing still, every change in view", () => delay(forMs));
    await watch("wheel, every change in the first rows", () => turnWheel(page, forMs));
    return seen;
  } finally {
    await browser.close();
  }
}

function table(seen: readonly Seen[]): string {
  const lines = seen.map(({ name, frames, p50Ms, p95Ms, p99Ms, longestMs, long, mainThread: main }) =>
    `| ${name} | ${frames} | ${p50Ms} | ${p95Ms} | ${p99Ms} | ${longestMs} | ${main.longestMs} | ${main.longestCpuMs} | ${
      Math.round(100 * main.busy)
    } % | ${long.length === 0 ? "none" : long.join(", ")} |`
  );
  return [
    "| what | frames | p50 ms | p95 ms | p99 ms | longest ms | longest task ms | its CPU ms at most | main thread busy | over 50 ms, each |",
    "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ...lines,
  ].join("\n");
}

function report(progress: string): void {
  console.error(progress);
}

if (import.meta.main) Deno.exit(await main());
