/** The page of the system: what it shows of the lock, the database, and of the orders that come. */
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { assert, assertEquals } from "@std/assert";
import type { Page } from "playwright-core";
import { pause, until } from "../../src/base/bounded_wait.ts";
import { InventoryService } from "../../src/gen/inventory/v1/inventory_pb.ts";
import { browserTest, checkAccessible, shows, takePictures } from "./support/browser.ts";

const ANSWERS = 8;
const ANSWERS_MS_MAX = 60_000;
/** Orders that are sent one after the other, at a time. */
const SELLERS = 8;
/** Of each seller between its orders: the page samples once a second, and has dozens of them to show by then. */
const PAUSE_MS = 100;

browserTest("the system shows what it does, as it does it", { path: "/system" }, async ({ page, server, step }) => {
  const shop = createClient(InventoryService, createGrpcWebTransport({ baseUrl: server.url }));

  await step("five nodes with votes, the database, and that it is ready", async () => {
    await page.getByText("Ready", { exact: true }).waitFor();
    // It is ready with three of them.
    await page.getByText("Has a vote").nth(4).waitFor();
    await shows(() => page.getByText("Has a vote").count(), 5);
    await page.getByRole("row", { name: "PostgreSQL" }).getByText("There").waitFor();
  });

  await step("a chart that begins with nothing, then one value, draws those that follow", async () => {
    assertEquals(await grownChart(page), { empty: 0, grown: true });
  });

  await step("orders and refusals show as they come", async () => {
    await shop.setInv({ goodsId: 1, num: 1_000_000 });
    const stop = new AbortController();
    const sellers = Array.from({ length: SELLERS }, async (_, seller) => {
      for (let i = 0; !stop.signal.aborted; i++) {
        await orShed(shop.sell({ orderId: `s-${seller}-${i}`, goodsInfo: [{ goodsId: 1, num: 1 }] }));
        if (i % 10 === 0) await shop.sell({ goodsInfo: [{ goodsId: 1, num: 2_000_000 }] }).catch(() => {});
        await pause(PAUSE_MS, stop.signal);
      }
    });
    try {
      await page.getByRole("row", { name: "short_stock" }).waitFor();
      // So many answers that the charts have a line.
      assert(await until(async () => await answers(page) >= ANSWERS, ANSWERS_MS_MAX));
      // Of a second in which none was refused the page says so.
      assert(await until(async () => (await shown(page)).every((figure) => /[1-9]/.test(figure)), ANSWERS_MS_MAX));
      await takePictures(page, "system");
      await checkAccessible(page);
    } finally {
      stop.abort();
      await Promise.all(sellers);
    }
  });
});

/** An order, or none: a server that is starved of processors sheds some. */
async function orShed(sale: Promise<unknown>): Promise<void> {
  try {
    await sale;
  } catch (error) {
    const { code } = ConnectError.from(error);
    if (code !== Code.ResourceExhausted && code !== Code.Unavailable) throw error;
  }
}

/** Answers of the server that the page has in its charts. */
async function answers(page: Page): Promise<number> {
  return await page.locator("hf-system").evaluate((system) =>
    (system as unknown as { readonly samples: readonly unknown[] }).samples.length
  );
}

/** The figures of what orders make: their rates, times and batches. */
async function shown(page: Page): Promise<string[]> {
  const [orders = "", refused = "", p50 = "", p99 = "", , batch = ""] = await page.locator("hf-system .figure dd")
    .allTextContents();
  return [orders, refused, p50, p99, batch];
}

/** How many pixels of a chart have the colour of its line while it has no value, and whether some have in the end. */
async function grownChart(page: Page): Promise<{ empty: number; grown: boolean }> {
  return await page.locator("hf-system").evaluate(async (system) => {
    type Chart = HTMLElement & { data: unknown; lines: unknown; readonly updateComplete: Promise<unknown> };
    const chart = document.createElement("hf-time-chart") as Chart;
    chart.lines = [{ label: "Grown", color: "--chart-1" }];
    (system as HTMLElement & { renderRoot: ShadowRoot }).renderRoot.append(chart);
    const frame = () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
    const colored = () => {
      const canvas = chart.shadowRoot?.querySelector("canvas") as HTMLCanvasElement;
      const pen = document.createElement("canvas").getContext("2d") as CanvasRenderingContext2D;
      pen.fillStyle = getComputedStyle(chart).getPropertyValue("--chart-1").trim();
      const [red, green, blue] = [1, 3, 5].map((at) => parseInt(pen.fillStyle.toString().slice(at, at + 2), 16));
      const { data } = (canvas.getContext("2d") as CanvasRenderingContext2D)
        .getImageData(0, 0, canvas.width, canvas.height);
      let count = 0;
      for (let i = 0; i < data.length; i += 4) {
        if (data[i] === red && data[i + 1] === green && data[i + 2] === blue) count++;
      }
      return count;
    };
    const counts: number[] = [];
    for (const length of [0, 1, 2, 9]) {
      const timesMs = Array.from({ length }, (_, i) => 1_800_000_000_000 + i * 1000);
      chart.data = { timesMs, values: [timesMs.map((_, i) => i % 5)] };
      await chart.updateComplete;
      await frame();
      counts.push(colored());
    }
    chart.remove();
    return { empty: counts[0] ?? -1, grown: (counts.at(-1) ?? 0) > 0 };
  });
}
