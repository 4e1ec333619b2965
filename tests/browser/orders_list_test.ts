/** The list of orders: found, filtered by its address, page by page, live; what rights allow on it and on one goods. */
import { assert, assertEquals } from "@std/assert";
import type { Page } from "playwright-core";
import { until } from "../../src/base/bounded_wait.ts";
import { addTestKey } from "../support/api_keys.ts";
import { ownerOf } from "../support/database.ts";
import { browserTest, checkAccessible, holdNext, shows, takePictures } from "./support/browser.ts";
import { shopOf } from "./support/shop.ts";

const LIST_ORDERS = "**/inventory.v1.QueryService/ListOrders*";
const KNOWN_MS_MAX = 60_000;
/** More than a page has. */
const OLD_ORDERS = 55;

browserTest("orders are found again", { path: "/orders", env: { AUTH: "keys" } }, async (test) => {
  const { server, step, profile } = test;
  await using owner = ownerOf(server.databaseOwnerUrl);
  const keyOf = async (...rights: ("reader" | "seller" | "operator")[]) =>
    await addTestKey(owner.sql, { name: rights.join(), rights });
  const [operator, seller, reader] = await Promise.all([keyOf("operator"), keyOf("seller"), keyOf("reader")]);
  const call = shopOf(server.url, operator.headers);
  // Keys are known once the server has read them again, all at once.
  assert(
    await until(() => call("SystemService/WhoAmI", {}).then(() => true, () => false), KNOWN_MS_MAX),
    "no key is known",
  );
  const signedIn = async (key: string, path: string) => {
    const context = await profile();
    await context.addInitScript((key) => {
      // The empty page before the first has no storage.
      if (location.protocol.startsWith("http")) sessionStorage.setItem("holdfast.key", key);
    }, key);
    const page = await context.newPage();
    await page.goto(path);
    return page;
  };
  await call("InventoryService/SetInv", { goodsId: 1, num: 1000, sku: "mug" });
  await call("InventoryService/SetInv", { goodsId: 2, num: 1000 });
  const sale = (orderId: string, num: number) => ({ orderId, goodsInfo: [{ goodsId: 1, num }] });
  await call("InventoryService/SellBatch", {
    orders: Array.from({ length: OLD_ORDERS }, (_, i) => sale(`old-${i}`, 1)),
  });
  await call("InventoryService/Sell", sale("order-7", 7));
  await call("HoldService/Reserve", {
    orderId: "cart",
    buyerId: "bob",
    goodsInfo: [{ goodsId: 2, num: 3 }],
    ttl: "900s",
  });
  const page = await signedIn(seller.key, "/orders");
  const shown = (page: Page) =>
    page.locator("hf-order-list tbody tr").evaluateAll((rows) => rows.map((row) => (row as HTMLElement).dataset.order));

  await step("the newest first, page by page, and a new one as it is made", async () => {
    await page.getByRole("row", { name: /cart Held bob 1 line, 3 units 1[0-4]:/ }).waitFor();
    await shows(async () => {
      const first = await shown(page);
      return [first.length, first[0], first[1]];
    }, [50, "cart", "order-7"]);
    // Who asks for more while the list is read anew keeps what comes.
    const held = await holdNext(page, LIST_ORDERS);
    await call("InventoryService/Sell", { orderId: "newest", goodsInfo: [{ goodsId: 2, num: 1 }] });
    await held.asked;
    await page.getByRole("button", { name: "Show more" }).click();
    await page.locator("hf-order-list tbody tr").nth(OLD_ORDERS + 1).waitFor();
    held.release();
    await page.locator('[data-order="newest"]').waitFor();
    await shows(async () => {
      const all = await shown(page);
      return [all.length, all[0]];
    }, [OLD_ORDERS + 2, "newest"]);
  });

  await step("with other filters there is no more to show before their first rows are there", async () => {
    await page.goto("/orders");
    const more = page.getByRole("button", { name: "Show more" });
    await more.waitFor();
    const held = await holdNext(page, LIST_ORDERS);
    await page.getByLabel("State").selectOption({ label: "Sold" });
    await page.waitForURL("**/orders?state=sold");
    await held.asked;
    await shows(() => more.count(), 0, "a page token of other filters");
    held.release();
    await more.click();
    await shows(async () => (await shown(page)).length, OLD_ORDERS + 2);
    await shows(() => page.locator("hf-order-list").getByRole("alert").innerText(), "");
    await page.getByRole("link", { name: "Clear" }).click();
  });

  await step("by state, buyer and goods, all in the address", async () => {
    await page.getByLabel("State").selectOption({ label: "Held" });
    await page.waitForURL("**/orders?state=held");
    await page.locator('[data-order="newest"]').waitFor({ state: "detached" });
    await page.locator('[data-order="cart"]').waitFor();
    await shows(() => shown(page), ["cart"]);
    await page.getByRole("link", { name: "Clear" }).click();
    await page.getByLabel("Find by").selectOption({ label: "Buyer" });
    await page.getByRole("textbox", { name: "Buyer" }).fill("nobody");
    await page.keyboard.press("Enter");
    await page.waitForURL("**/orders?buyer=nobody");
    await page.getByText("No order fits these filters.").waitFor();
    await page.getByLabel("Find by").selectOption({ label: "Goods (id or SKU)" });
    await page.getByRole("textbox", { name: "Goods" }).fill("mug");
    await page.keyboard.press("Enter");
    await page.waitForURL("**/orders?goods=mug");
    await page.locator('[data-order="order-7"]').waitFor();
    await shows(async () => (await shown(page)).filter((id) => id === "cart" || id === "newest"), []);
    await page.goBack();
    await page.getByText("No order fits these filters.").waitFor();
    await page.goto("/orders?since=2026-01-01&until=2026-01-02");
    await page.getByText("No order fits these filters.").waitFor();
  });

  await step("by its id; one that is none says so", async () => {
    await page.goto("/orders");
    await page.locator('[data-order="cart"]').waitFor();
    await page.keyboard.press("/");
    await page.keyboard.type("order-7");
    await page.keyboard.press("Enter");
    await page.waitForURL("**/orders/order-7");
    await page.getByRole("row", { name: "mug 7 7 0" }).waitFor();
    await page.goto("/orders/order-x");
    await page.getByText("There is no order order-x.").waitFor();
  });

  await step("axe finds nothing serious, and it fits a phone", async () => {
    await page.goto("/orders");
    await page.locator('[data-order="cart"]').waitFor();
    await checkAccessible(page);
    await takePictures(page, "orders");
    await page.getByRole("button", { name: "New order" }).click();
    await page.getByRole("dialog").getByLabel("Goods, Line 1").fill("mug");
    await page.getByText("As things are now it gets all of it.").waitFor();
    await checkAccessible(page);
    await page.keyboard.press("Escape");
    await page.goto("/orders/cart");
    await page.getByRole("button", { name: "Confirm" }).waitFor();
    await checkAccessible(page);
    await takePictures(page, "one_order");
    await page.setViewportSize({ width: 390, height: 844 });
    const overflow = () => page.evaluate(() => Math.max(0, document.documentElement.scrollWidth - innerWidth));
    await shows(overflow, 0, "pixels beside the screen");
  });

  await step("who may only look finds no button that changes anything, here and on one goods", async () => {
    const looking = await signedIn(reader.key, "/orders/cart");
    await looking.getByText("You may look at orders.").waitFor();
    assertEquals(await looking.getByRole("group", { name: "Actions" }).count(), 0);
    await looking.goto("/orders");
    await looking.locator('[data-order="cart"]').waitFor();
    assertEquals(await looking.getByRole("button", { name: "New order" }).count(), 0);
    await looking.goto("/goods/2");
    await looking.getByText("You may look at this.").waitFor();
    await looking.getByRole("row", { name: /cart bob 3/ }).waitFor();
    assertEquals(
      await looking.getByRole("button", { name: /Release|Extend|Set|Adjust|Policy/ }).count(),
      1,
      "Settings",
    );
  });

  await step("who may sell ends holds, and changes no stock", async () => {
    await page.setViewportSize({ width: 1280, height: 800 });
    await page.goto("/goods/2");
    await page.getByText("You may look at this.").waitFor();
    await page.getByRole("button", { name: "Release cart" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Release" }).click();
    await page.getByText("Nobody holds any of it.").waitFor();
  });
});
