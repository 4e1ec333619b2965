/** The page under measurement: what is done in it, and the frames that it needed for that. */
import type { Browser, Page } from "playwright-core";
import { setTimeout as delay } from "node:timers/promises";
import { CATEGORIES, type MainThread, readTrace } from "./trace.ts";

/** A frame counts as long from here on, in ms: it is the browser's own bound too. */
export const LONG_MS = 50;

/** How long after a frame the browser may report that it was long. */
const LAST_REPORTS_MS = 200;

/** What was seen while one thing was done. */
export interface Seen {
  readonly name: string;
  /** Frames that were drawn. */
  readonly frames: number;
  /** Time from frame to frame, in ms. */
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  readonly longestMs: number;
  /** Frames over {@link LONG_MS}, as the browser's own observer of long animation frames reports them, in ms. */
  readonly long: readonly number[];
  readonly mainThread: MainThread;
}

/** The browser's. */
declare function requestAnimationFrame(run: (nowMs: number) => void): number;

interface Watched {
  readonly frames: readonly number[];
  readonly long: readonly number[];
}

/** Does something in the page with its frames watched and its main thread traced. */
export async function watchFrames(
  browser: Browser,
  page: Page,
  name: string,
  act: () => Promise<void>,
): Promise<Seen> {
  await browser.startTracing(page, { categories: [...CATEGORIES] });
  await page.evaluate((longMs) => {
    const watched = { frames: [] as number[], long: [] as number[], isOver: false };
    Object.assign(globalThis, { watched });
    const observer = new PerformanceObserver((list) => {
      // The browser reports those of just as long, too.
      for (const { duration } of list.getEntries()) if (duration > longMs) watched.long.push(Math.round(duration));
    });
    observer.observe({ type: "long-animation-frame" });
    let before = performance.now();
    const next = (now: number) => {
      watched.frames.push(now - before);
      before = now;
      if (!watched.isOver) requestAnimationFrame(next);
      else observer.disconnect();
    };
    requestAnimationFrame(next);
  }, LONG_MS);
  await act();
  const { frames, long } = await page.evaluate(async (LAST_REPORTS_MS) => {
    const { watched } = globalThis as unknown as { watched: Watched & { isOver: boolean } };
    // What the observer reports of the last frames comes a little later, and nothing says that it was the last.
    await new Promise((resolve) => setTimeout(resolve, LAST_REPORTS_MS));
    watched.isOver = true;
    return { frames: watched.frames.slice(1), long: watched.long };
  }, LAST_REPORTS_MS);
  const mainThread = readTrace((await browser.stopTracing()).toString());
  const sorted = frames.toSorted((a, b) => a - b);
  const at = (share: number) => Math.round(10 * (sorted[Math.floor(share * (sorted.length - 1))] ?? 0)) / 10;
  return {
    ...{ name, frames: frames.length, p50Ms: at(0.5), p95Ms: at(0.95), p99Ms: at(0.99), longestMs: at(1) },
    ...{ long, mainThread },
  };
}

/** Turns the wheel over the table, down and up again, a notch a frame, for `forMs`. */
export async function turnWheel(page: Page, forMs: number): Promise<void> {
  const box = (await page.getByRole("grid").boundingBox())!;
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  const endsMs = performance.now() + forMs;
  for (let i = 0; performance.now() < endsMs; i++) {
    await page.mouse.wheel(0, i % 200 < 150 ? 160 : -160);
    await delay(16);
  }
}

/** Drags the bar of the table to places all over the list, four a second, for `forMs`. */
export async function dragBar(page: Page, forMs: number): Promise<void> {
  const endsMs = performance.now() + forMs;
  for (let i = 1; performance.now() < endsMs; i++) {
    // Evenly spread, and never twice in the same sequence.
    await page.getByRole("grid").evaluate((grid, share) => grid.scrollTop = share * grid.scrollHeight, i * 0.618 % 1);
    await delay(250);
  }
}

/** Goes to the beginning of the table, a cell in focus. What the driver does for that is not to be measured. */
export async function focusFirst(page: Page): Promise<void> {
  await page.getByRole("grid").evaluate((grid) => grid.scrollTop = 0);
  await page.locator('[aria-rowindex="3"] [aria-colindex="2"]').click();
}

/** Goes down page by page, by a key that is kept down, for `forMs`. */
export async function pressPageDown(page: Page, forMs: number): Promise<void> {
  const endsMs = performance.now() + forMs;
  while (performance.now() < endsMs) {
    await page.keyboard.press("PageDown");
    await delay(33);
  }
}
