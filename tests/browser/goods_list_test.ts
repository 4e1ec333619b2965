/** The list of goods: found, filtered, sorted and walked through, by mouse and by keyboard, and live. */
import { assert, assertEquals } from "@std/assert";
import type { Page } from "playwright-core";
import { callGrpcJs, grpcJsService } from "../support/clients/grpc_js.ts";
import { browserTest, checkAccessible, shows, takePictures } from "./support/browser.ts";
import { makeGoods, skuOf } from "./support/made_goods.ts";
import { shopOf } from "./support/shop.ts";

/** The names of the rows that are drawn, from the top on. */
function names(page: Page): Promise<string[]> {
  return page.getByRole("grid").locator(".cell.name a").allTextContents();
}

browserTest("goods are found, walked through and followed", { path: "/goods" }, async (test) => {
  const { page, server, step, profile } = test;
  const query = () => new URL(page.url()).search;
  await step("an empty shop says how it gets goods", async () => {
    await page.getByRole("heading", { name: "No goods yet" }).waitFor();
    await checkAccessible(page);
  });

  await makeGoods(server, 4000, 12);
  const made = shopOf(server.url);
  await made("StockService/SetPolicy", {
    goodsId: 1500,
    policy: { safetyStock: 100, lowStockAt: 1450, lowStockUntil: 1460 },
  });
  await made("InventoryService/SetInv", { goodsId: 3, num: 0 });
  await made("HoldService/Reserve", { orderId: "hold-1", goodsInfo: [{ goodsId: 7, num: 2 }], ttl: "600s" });
  await made("InventoryService/SetInv", { goodsId: 7, locationId: 4, num: 40 });
  await made("StockService/DeleteInv", { goodsId: 1499 });
  await page.reload();

  await step("rows have all that a level says, and a policy's safety stock", async () => {
    await page.getByRole("row", { name: /SKU-0001/ }).waitFor();
    await page.getByText("4,000 rows", { exact: true }).waitFor();
    await shows(() => page.getByRole("grid").getAttribute("aria-rowcount"), "4001");
    const cells = page.locator('[aria-rowindex="8"] [role=gridcell]');
    await shows(async () => (await cells.allInnerTexts()).slice(0, 7), ["SKU-0007", "7", "0", "5", "2", "0", "7"]);
    await checkAccessible(page);
    await takePictures(page, "goods");
  });

  await step("a search by SKU or id is in the address, and back leads out of it", async () => {
    await page.getByRole("searchbox").fill("SKU-000");
    await shows(() => names(page), [1, 2, 3, 4, 5, 6, 7, 7, 8, 9].map(skuOf));
    assertEquals(query(), "?q=SKU-000");
    await page.getByRole("searchbox").fill("1234");
    await shows(() => names(page), ["#1234"]);
    assertEquals(query(), "?q=1234", "while somebody types, the address is that of one search");
    await page.getByRole("searchbox").fill("12 ");
    await page.waitForURL((url) => url.search === "?q=12");
    assertEquals(await page.getByRole("searchbox").inputValue(), "12 ", "who pauses behind a space goes on behind it");
    await page.goBack();
    await page.getByRole("row", { name: /SKU-0012/ }).waitFor();
    await shows(async () => [query(), await page.getByRole("searchbox").inputValue()], ["", ""]);
  });

  await step("every filter", async () => {
    await page.getByLabel("Sold out").check();
    await shows(() => names(page), [skuOf(3)]);
    await page.getByLabel("Has holds").check();
    await page.getByRole("heading", { name: "No goods fit these filters" }).waitFor();
    assertEquals(query(), "?soldout=1&holds=1");
    await page.getByLabel("Sold out").uncheck();
    await shows(() => names(page), [skuOf(7)]);
    await page.getByRole("button", { name: "Clear filters" }).click();
    await page.getByLabel("Below threshold").check();
    await shows(() => names(page), ["#1500"]);
    await shows(() => page.locator('[aria-rowindex="2"] .safety').innerText(), "100");
    await page.getByLabel("Below threshold").uncheck();
    await page.getByLabel("Locations").fill("4");
    await page.keyboard.press("Enter");
    await shows(() => names(page), [skuOf(7)]);
    assertEquals(query(), "?at=4");
    // By whoever has just begun to type.
    await page.getByRole("searchbox").fill("mug");
    await page.getByRole("searchbox").evaluate((search) => {
      search.dispatchEvent(new InputEvent("input", { bubbles: true, composed: true }));
      (search.getRootNode() as ShadowRoot).querySelector<HTMLElement>("button.quiet")?.click();
    });
    await shows(async () => [query(), await page.getByRole("searchbox").inputValue()], ["", ""]);
    await page.getByLabel("Deleted").selectOption("only");
    await shows(() => names(page), ["#1499"]);
    await page.getByLabel("Deleted").selectOption("no");
    await page.getByLabel("Changed").selectOption("1h");
    await page.getByText("4,000 rows", { exact: true }).waitFor();
    // The last that changed, first.
    await shows(async () => (await names(page))[0], skuOf(7));
    assertEquals(query(), "?since=1h");
    await page.goBack();
    await page.goBack();
    await shows(() => names(page), ["#1499"]);
  });

  await step("a link shows the same list, sorted by any column", async () => {
    await page.goto("/goods?sort=-available");
    await page.getByText("4,000 rows", { exact: true }).waitFor();
    await shows(async () => (await names(page)).slice(0, 3), ["#4000", "#3999", "#3998"]);
    await shows(() => page.getByRole("columnheader", { name: "Available" }).getAttribute("aria-sort"), "descending");
    await page.getByRole("button", { name: "Available" }).click();
    await page.waitForURL((url) => url.search === "?sort=available");
    await page.waitForFunction(() => document.querySelector("hf-console") !== null);
    await page.getByRole("row", { name: /SKU-0003/ }).waitFor();
    await shows(async () => (await names(page)).slice(0, 3), [3, 1, 2].map(skuOf));
    await page.getByRole("button", { name: "SKU" }).click();
    await page.waitForURL((url) => url.search === "?sort=sku");
    // Goods without a SKU come behind those that have one.
    await page.getByText("4,000 rows", { exact: true }).waitFor();
    await shows(async () => (await names(page)).slice(0, 2), [1, 2].map(skuOf));
  });
  /**
   * The row and column of the cell that has the focus, once one has it: a row far away is drawn when the table has
   * scrolled there, and until then the table itself has the focus. `wanted`: once it is that one.
   */
  const focused = async (wanted?: readonly [row: string, column: string]) => {
    const found = await page.waitForFunction((wanted) => {
      let active: Element | null = document.activeElement;
      while (active?.shadowRoot?.activeElement) active = active.shadowRoot.activeElement;
      const cell = active?.closest("[data-column]");
      const row = cell?.closest("[aria-rowindex]")?.getAttribute("aria-rowindex") ?? undefined;
      const column = cell?.getAttribute("aria-colindex") ?? undefined;
      if (row === undefined || column === undefined) return undefined;
      return wanted === undefined || (row === wanted[0] && column === wanted[1]) ? [row, column] as const : undefined;
    }, wanted);
    return (await found.jsonValue())!;
  };
  const press = async (...keys: string[]) => {
    for (const key of keys) await page.keyboard.press(key);
  };
  /** Waits until a cell has the cursor. */
  const at = async (row: number, column: number) => {
    await focused([`${row}`, `${column}`]).catch(async (cause) => {
      throw new Error(`the cursor is at ${await focused()}, expected at ${row},${column}`, { cause });
    });
  };

  await step("one cell of the table is in the sequence of tabs, and arrows go on from it", async () => {
    await page.goto("/goods");
    await page.getByRole("row", { name: /SKU-0001/ }).waitFor();
    await page.getByLabel("Deleted").focus();
    await press("Tab");
    await at(2, 1);
    await press("ArrowDown", "ArrowDown", "ArrowRight");
    await at(4, 2);
    await press("End");
    await at(4, 9);
    await press("Home");
    await at(4, 1);
    await press("ArrowUp", "ArrowUp", "ArrowUp");
    await at(1, 1);
    await press("Enter");
    await page.waitForURL((url) => url.search === "?sort=sku");
    await page.goBack();
  });

  await step("page by page, and to both ends, also where nothing is read yet", async () => {
    await page.getByText("4,000 rows", { exact: true }).waitFor();
    await page.getByRole("columnheader", { name: "Id" }).and(page.locator('[aria-sort="ascending"]')).waitFor();
    await press("ArrowDown", "PageDown");
    const [row] = await focused();
    assert(Number(row) > 10 && Number(row) < 30, `a page leads to row ${row}`);
    await press("Control+End");
    await page.getByRole("row", { name: /#4000/ }).waitFor();
    await at(4001, 9);
    assert((await names(page)).length < 60, "only what is in view is drawn");
    await press("Control+Home");
    await at(2, 1);
  });

  await step("rows that were scrolled past leave nothing behind", async () => {
    const drawn = page.getByRole("grid").locator(".window");
    const [rows, nodes] = await drawn.evaluate(({ children, childNodes }) => [children.length, childNodes.length]);
    // A row, the text around it, and a mark at each end.
    assert(nodes < 5 * rows + 10, `${nodes} nodes for ${rows} rows`);
  });

  await step("Enter opens a goods, and back leads to where the list was left", async () => {
    await press("PageDown", "PageDown", "PageDown");
    const [row] = await focused();
    assert(Number(row) > 30, `three pages lead to row ${row}`);
    await press("Enter");
    await page.waitForURL((url) => url.pathname !== "/goods");
    await page.goBack();
    await page.locator(`[aria-rowindex="${row}"]`).waitFor();
    await page.waitForFunction(() => document.activeElement?.tagName === "HF-CONSOLE");
    await at(Number(row), 1);
  });
  const client = grpcJsService(server.url, "inventory/v1/inventory.proto", "inventory.v1.InventoryService");
  const fifth = page.locator('[aria-rowindex="6"]');
  try {
    await step("a sale is seen as it is made", async () => {
      await page.goto("/goods?q=SKU");
      await page.getByRole("row", { name: /SKU-0012/ }).waitFor();
      const time = fifth.locator("time");
      const before = await time.getAttribute("title");
      const result = await callGrpcJs(client, "Sell", { orderId: "sale-1", goodsInfo: [{ goodsId: 5, num: 2 }] });
      assert("answer" in result, JSON.stringify(result));
      await fifth.locator(".available", { hasText: "3" }).waitFor();
      await shows(() => fifth.locator(".on_hand").innerText(), "3");
      await shows(async () => await time.getAttribute("title") !== before, true, "it has changed since");
      // It is now for five seconds.
      await time.filter({ hasText: /^(now|[\d]+ seconds ago)$/ }).waitFor();
    });

    await step("a row that fits no more stays where it is, and says so", async () => {
      await page.getByLabel("Sold out").check();
      await shows(() => names(page), [skuOf(3)]);
      await callGrpcJs(client, "SetInv", { goodsId: 6, num: 0 });
      await page.getByRole("button", { name: "1 new — Refresh" }).click();
      await shows(() => names(page), [3, 6].map(skuOf));
      await callGrpcJs(client, "SetInv", { goodsId: 6, num: 4 });
      await page.getByText("Fits the filters no more").waitFor();
      await shows(() => names(page), [3, 6].map(skuOf));
    });

    await step("new goods wait until somebody asks for them", async () => {
      await callGrpcJs(client, "SetInv", { goodsId: 9, num: 0 });
      await page.getByRole("button", { name: "1 new — Refresh" }).click();
      await shows(() => names(page), [3, 9].map(skuOf));
    });
  } finally {
    client.close();
  }

  await step("in Chinese too", async () => {
    const chinese = await (await profile({ locale: "zh-CN" })).newPage();
    await chinese.goto("/goods");
    await chinese.getByRole("heading", { level: 1, name: "商品" }).waitFor();
    await chinese.getByText("4,000 行", { exact: true }).waitFor();
    await chinese.getByRole("row", { name: /SKU-0003.*售罄/ }).waitFor();
  });
});
