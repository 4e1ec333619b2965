/** Quantities that are typed, pasted and counted in the list of goods, with others at it meanwhile. */
import { assert, assertEquals } from "@std/assert";
import postgres from "postgres";
import type { Locator, Page } from "playwright-core";
import { until } from "../../src/base/bounded_wait.ts";
import { addTestKey } from "../support/api_keys.ts";
import type { TestServer } from "../support/server.ts";
import { browserTest, checkAccessible, shows, takePictures } from "./support/browser.ts";
import { makeGoods, skuOf } from "./support/made_goods.ts";
import { shopOf } from "./support/shop.ts";

const KNOWN_MS_MAX = 60_000;
const PRESSES_MAX = 5;

/** Pastes a text where the cursor is, as a browser does. */
async function paste(page: Page, text: string): Promise<void> {
  await page.getByRole("grid").evaluate((grid, text) => {
    const clipboardData = new DataTransfer();
    clipboardData.setData("text/plain", text);
    let target: Element = grid;
    const active = (grid.getRootNode() as ShadowRoot).activeElement;
    if (active !== null && grid.contains(active)) target = active;
    const event = new ClipboardEvent("paste", { clipboardData, bubbles: true, composed: true, cancelable: true });
    target.dispatchEvent(event);
  }, text);
}

/** What is on hand of goods 1 to `count`. */
async function onHand({ url }: TestServer, count: number): Promise<number[]> {
  const goodsIds = Array.from({ length: count }, (_, i) => i + 1);
  const body = await shopOf(url)("QueryService/ListInv", { goodsIds, pageSize: 1000 });
  return (body.levels as { onHand?: number }[]).map(({ onHand = 0 }) => onHand);
}

const bar = (page: Page) => page.getByRole("toolbar");

/** Waits until the bar says how the edits stand, or what else it may say is there. */
async function said(page: Page, text: string | RegExp, otherwise?: Locator): Promise<void> {
  const words = bar(page).getByText(text);
  await (otherwise === undefined ? words : words.or(otherwise).first()).waitFor().catch(async (error) => {
    throw new Error(`the bar says ${JSON.stringify(await bar(page).innerText())}`, { cause: error });
  });
}

/** Applies all that is ready until the bar ends like this, and again what a busy machine gave no answer for. */
async function applied(page: Page, text: RegExp): Promise<void> {
  const isLost = bar(page).getByText("without an answer");
  for (let presses = 1; presses <= PRESSES_MAX; presses++) {
    await bar(page).getByRole("button", { name: /^Apply \d/ }).click();
    await said(page, text, isLost);
    if (await isLost.count() === 0) break;
  }
  await said(page, text);
}

browserTest("quantities are set and counted in a grid", { path: "/goods" }, async ({ page, server, step }) => {
  const call = shopOf(server.url);
  await makeGoods(server, 120, 110);
  await call("GoodsService/AddReason", { reason: { code: "recount", description: "Counted anew" } });
  await page.reload();
  await page.getByRole("row", { name: /SKU-0001/ }).waitFor();
  const field = (goodsId: number) =>
    page.getByRole("textbox", { name: `New quantity of ${skuOf(goodsId)}`, exact: true });

  await step("E edits the row of the cursor, and the preview says before and after", async () => {
    await page.locator('[aria-rowindex="2"] [aria-colindex="1"]').click({ position: { x: 100, y: 10 } });
    await page.keyboard.press("e");
    await page.waitForURL((url) => url.search === "?mode=edit");
    await page.keyboard.type("80");
    await page.keyboard.press("Enter");
    await page.keyboard.type("two");
    const first = page.locator('[aria-rowindex="2"]');
    await shows(() => first.locator(".difference").innerText(), "1 → 80 +79");
    await page.locator('[aria-rowindex="3"]').getByText("Not a number").waitFor();
    await said(page, "1 to apply · 1 can't be · +79");
    await shows(() => field(2).getAttribute("aria-invalid"), "true");
    await checkAccessible(page);
    await page.keyboard.press("Escape");
    await said(page, "1 to apply · +79");
    await page.getByRole("link", { name: skuOf(3), exact: true }).click();
    await page.waitForURL((url) => url.pathname === "/goods/3");
    await page.goBack();
    await page.getByRole("button", { name: "Edit quantities (1)" }).waitFor();
    await said(page, "1 to apply · +79");
    await shows(() => field(2).inputValue(), "");
  });

  await step("apply sets it with its reason, and only it", async () => {
    await bar(page).getByLabel("Reason").selectOption("recount");
    await bar(page).getByRole("button", { name: "Apply 1" }).waitFor();
    await applied(page, /1 applied$/);
    assertEquals(await onHand(server, 3), [80, 2, 3]);
    const body = await call("QueryService/ListMovements", { goodsId: 1, pageSize: 1 });
    assertEquals((body.movements as { reason: string }[])[0]?.reason, "recount");
    await bar(page).getByRole("button", { name: "All rows" }).click();
  });

  await step("a hundred cells are pasted, and one of them was changed by somebody else in between", async () => {
    await bar(page).getByRole("button", { name: "Discard all" }).click();
    const lines = Array.from({ length: 100 }, (_, i) => `${skuOf(i + 1)}\t${(i + 1) * 1000}`);
    await page.getByRole("grid").locator(".entry input").first().focus();
    await paste(page, ["SKU\tQuantity", ...lines, "SKU-9999\t5", "SKU-0101\t1.5"].join("\n"));
    await said(page, "100 to apply");
    await page.getByText("2 lines can't be taken in").waitFor();
    await page.getByText("Line 102 SKU-9999 · 5: No such goods there").waitFor();
    await page.getByText("Line 103 SKU-0101 · 1.5: Not a whole number").waitFor();
    await shows(() => page.getByRole("grid").getAttribute("aria-rowcount"), "101", "the edited rows alone");
    await takePictures(page, "goods_edit");
    await call("InventoryService/SetInv", { goodsId: 50, num: 7 });
    await bar(page).getByRole("button", { name: "Apply 100" }).waitFor();
    await applied(page, /1 in conflict · \d+ applied$/);
    const set = await onHand(server, 100);
    assertEquals(set.map((num, i) => num === (i + 1) * 1000 ? 0 : num).filter((num) => num > 0), [7]);
  });

  await step("what was typed for it is still there, beside what stands there now", async () => {
    // What needs a look stands first.
    const row = page.locator('[aria-rowindex="2"]');
    await row.getByText("Now 7: somebody was faster").waitFor();
    await shows(() => field(50).inputValue(), "50000");
    await checkAccessible(page);
    await row.getByRole("button", { name: "Keep mine" }).click();
    await shows(() => row.locator(".difference").innerText(), "7 → 50,000 +49,993");
    await bar(page).getByRole("button", { name: "Apply 1" }).waitFor();
    await applied(page, /1 applied$/);
    assertEquals((await onHand(server, 50))[49], 50_000);
  });

  await step("rows are chosen, and a column goes down them", async () => {
    await page.goto("/goods?mode=edit&q=SKU-011");
    await page.getByRole("row", { name: /SKU-0110/ }).waitFor();
    await page.goto("/goods?mode=edit&q=SKU-000");
    await page.getByRole("row", { name: /SKU-0009/ }).waitFor();
    await page.getByLabel("Choose SKU-0002").check();
    await page.getByLabel("Choose SKU-0004").check();
    await said(page, "2 chosen");
    await page.getByRole("button", { name: "Paste a list" }).click();
    await page.getByRole("dialog").getByRole("textbox").waitFor();
    await checkAccessible(page);
    await page.getByRole("dialog").getByRole("textbox").fill("1,111\n2 222\n3333");
    await page.getByRole("dialog").getByRole("button", { name: "Take in" }).click();
    await page.getByText("Line 3 3333: No row is left for it").waitFor();
    await bar(page).getByRole("button", { name: "All rows" }).click();
    assertEquals([await field(2).inputValue(), await field(4).inputValue()], ["1111", "2222"]);
    await bar(page).getByRole("button", { name: "Discard all" }).click();
    await bar(page).getByRole("button", { name: "Choose all" }).click();
    await said(page, "9 chosen");
    await bar(page).getByLabel("Quantity for the chosen").fill("60");
    await bar(page).getByRole("button", { name: "Fill in" }).click();
    await bar(page).getByRole("button", { name: "Apply 9" }).waitFor();
    await applied(page, /\d applied$/);
    assertEquals(await onHand(server, 9), Array(9).fill(60));
  });

  await step("a quantity on hand that holds forbid is refused before it is sent", async () => {
    await call("HoldService/Reserve", { orderId: "h", goodsInfo: [{ goodsId: 5, num: 20 }], ttl: "600s" });
    await page.goto("/goods?mode=edit&q=SKU-000");
    await page.getByRole("row", { name: /SKU-0005.*20/ }).waitFor();
    await bar(page).getByLabel("Quantities are").selectOption("on_hand");
    await field(5).fill("19");
    await page.getByText("Fewer than are reserved for holds").waitFor();
    await said(page, "1 can't be");
  });

  const counted = (goodsId: number) => page.getByRole("textbox", { name: `Counted of ${skuOf(goodsId)}` });
  await step("on hand, counted and their difference, and what was sold since the count stays sold", async () => {
    await bar(page).getByRole("button", { name: "Discard all" }).click();
    await page.goto("/goods?mode=count&q=SKU-001");
    await counted(10).waitFor();
    await counted(10).fill("8");
    await counted(11).fill("11000");
    await shows(() => page.locator('[aria-rowindex="2"] .difference').innerText(), "10,000 → 8 -9,992");
    await shows(() => page.locator('[aria-rowindex="3"] .difference').innerText(), "11,000 → 11,000 0");
    await checkAccessible(page);
    await takePictures(page, "goods_count");
    await call("InventoryService/Sell", { orderId: "since", goodsInfo: [{ goodsId: 10, num: 3 }] });
    await bar(page).getByRole("button", { name: "Apply 2" }).waitFor();
    await applied(page, /\d applied$/);
    assertEquals((await onHand(server, 11)).slice(9), [5, 11_000]);
    const body = await call("QueryService/ListMovements", { goodsId: 11, pageSize: 1 });
    assertEquals((body.movements as { kind: string }[])[0]?.kind, "MOVEMENT_KIND_COUNT");
  });

  await step("while the server is away nothing that was typed is lost, and it is counted once", async () => {
    await bar(page).getByRole("button", { name: "Discard all" }).click();
    await counted(12).fill("2");
    // The call is made, and its answer does not come.
    await page.route("**/inventory.v1.StockService/ApplyBatch", async (route) => {
      await route.fetch();
      await route.abort();
    }, { times: 1 });
    await bar(page).getByRole("button", { name: "Apply 1" }).click();
    await said(page, "1 without an answer");
    await call("InventoryService/Sell", { orderId: "later", goodsInfo: [{ goodsId: 12, num: 1 }] });
    await bar(page).getByRole("button", { name: "Apply 1" }).waitFor();
    await applied(page, /1 applied$/);
    assertEquals((await onHand(server, 12))[11], 1);
  });
});

browserTest("buttons are there for those who may", { path: "/goods", env: { AUTH: "keys" } }, async (test) => {
  const { server, step, profile } = test;
  const sql = postgres(server.databaseOwnerUrl, { max: 1, onnotice: () => {} });
  const { key, headers } = await addTestKey(sql, { name: "reader", rights: ["reader"] }).finally(() => sql.end());
  // Keys are looked at again once a second.
  const isKnown = async () => {
    const answer = await fetch(`${server.url}/inventory.v1.SystemService/WhoAmI`, {
      ...{ method: "POST", body: "{}", headers: { ...headers, "content-type": "application/json" } },
    });
    await answer.body?.cancel();
    return answer.ok;
  };
  assert(await until(isKnown, KNOWN_MS_MAX));
  const context = await profile();
  await context.addInitScript((text) => {
    // The page before the first has no storage.
    if (location.protocol === "http:") sessionStorage.setItem("holdfast.key", text);
  }, key);
  const page = await context.newPage();

  await step("a reader looks, and the address opens nothing to it", async () => {
    await page.goto("/goods?mode=edit");
    await page.getByRole("heading", { name: "No goods yet" }).waitFor();
    assertEquals(await page.getByRole("button", { name: "Edit quantities" }).count(), 0);
    assertEquals(await page.getByRole("toolbar").count(), 0);
  });

  await step("whoever may not read hears it in plain words", async () => {
    // No key is without this right; a token can be.
    const body = { code: "permission_denied", message: "this caller has not the right reader" };
    await page.route("**/inventory.v1.QueryService/ListInv*", (route) => route.fulfill({ status: 403, json: body }));
    await page.goto("/goods?wire=json");
    await page.getByRole("heading", { name: "This key may not read stock" }).waitFor();
    await checkAccessible(page);
  });
});
