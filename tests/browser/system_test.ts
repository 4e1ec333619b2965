/** The page of the system: what it shows of the lock, the database, and of the orders that come. */
import { createClient } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { assertEquals, assertMatch } from "@std/assert";
import type { Page } from "playwright-core";
import { until } from "../../src/base/bounded_wait.ts";
import { InventoryService } from "../../src/gen/inventory/v1/inventory_pb.ts";
import { browserTest, checkAccessible, takePictures } from "./support/browser.ts";

const ANSWERS = 8;
const ANSWERS_MS_MAX = 20_000;
/** Orders that are sent one after the other, at a time. */
const SELLERS = 8;

browserTest("the system shows what it does, as it does it", { path: "/system" }, async ({ page, server, step }) => {
  const shop = createClient(InventoryService, createGrpcWebTransport({ baseUrl: server.url }));

  await step("five nodes with votes, the database, and that it is ready", async () => {
    await page.getByText("Ready", { exact: true }).waitFor();
    assertEquals(await page.getByText("Has a vote").count(), 5);
    await page.getByRole("row", { name: "PostgreSQL" }).getByText("There").waitFor();
  });

  await step("orders and refusals show as they come", async () => {
    await shop.setInv({ goodsId: 1, num: 1_000_000 });
    const stop = new AbortController();
    const sellers = Array.from({ length: SELLERS }, async (_, seller) => {
      for (let i = 0; !stop.signal.aborted; i++) {
        await shop.sell({ orderId: `s-${seller}-${i}`, goodsInfo: [{ goodsId: 1, num: 1 }] });
        if (i % 10 === 0) await shop.sell({ goodsInfo: [{ goodsId: 1, num: 2_000_000 }] }).catch(() => {});
      }
    });
    try {
      await page.getByRole("row", { name: "short_stock" }).waitFor();
      // So many answers that the charts have a line.
      await until(async () => await answers(page) >= ANSWERS, ANSWERS_MS_MAX);
      const figures = await page.locator("hf-system .figure dd").allTextContents();
      const [orders = "", refused = "", p50 = "", p99 = "", , batch = ""] = figures;
      for (const figure of [orders, refused, p50, p99, batch]) assertMatch(figure, /[1-9]/);
      await takePictures(page, "system");
      await checkAccessible(page);
    } finally {
      stop.abort();
      await Promise.all(sellers);
    }
  });
});

/** Answers of the server that the page has in its charts. */
async function answers(page: Page): Promise<number> {
  return await page.locator("hf-system").evaluate((system) =>
    (system as unknown as { readonly samples: readonly unknown[] }).samples.length
  );
}
