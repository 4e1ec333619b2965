/** The page of one goods: every action, and two people on one goods. */
import { assertEquals } from "@std/assert";
import type { Page } from "playwright-core";
import { browserTest, shows } from "./support/browser.ts";
import { shopOf } from "./support/shop.ts";

/** Locations of a goods that its page reads. */
const LISTED_MAX = 1000;

browserTest(
  "stock of one goods is changed from its page",
  { path: "/system" },
  async ({ page, server, step, profile }) => {
    const call = shopOf(server.url);
    const set = (goodsId: number, num: number, more = {}) => call("InventoryService/SetInv", { goodsId, num, ...more });
    await Promise.all([set(1, 10), set(2, 10, { sku: "mug" }), set(3, 10), set(4, 10), set(5, 10), set(6, 30)]);
    const level = async (goodsId: number, locationId = 0) => {
      const { num, onHand, reserved, version } = await call("InventoryService/InvDetail", {
        goodsId,
        locationId,
      });
      return { num, onHand, reserved, version };
    };

    await step("to a number, with before and after, a reason and a document, which stand in the ledger", async () => {
      await page.goto("/goods/1");
      await action(page, "Set").click();
      const dialog = page.getByRole("dialog", { name: "Set the stock of Goods 1" });
      await dialog.getByLabel("New number").fill("12x");
      await dialog.getByRole("button", { name: "Set", exact: true }).click();
      await dialog.getByText("This is not a whole number.").waitFor();
      await dialog.getByLabel("New number").fill("15");
      await shows(() => changes(dialog), { available: ["10", "15"], "on-hand": ["10", "15"] });
      await dialog.getByLabel("Reason").selectOption("correction");
      await dialog.getByLabel("Document").fill("note 7");
      await dialog.getByLabel("Document").press("Enter");
      await dialog.waitFor({ state: "detached" });
      await page.getByText("Set: 15 available now").waitFor();
      await page.locator("#available", { hasText: "15" }).waitFor();
      const { movements } = await call("QueryService/ListMovements", { goodsId: 1 });
      const [last] = movements as Record<string, unknown>[];
      assertEquals([last?.kind, last?.reason, last?.documentUri], ["MOVEMENT_KIND_SET", "correction", "note%207"]);
    });

    await step("by so many that come or go, and no further than holds allow", async () => {
      await action(page, "Adjust").click();
      const dialog = page.getByRole("dialog");
      await dialog.getByLabel("Units that come").fill("-16");
      await dialog.getByText("At most 15 can go").waitFor();
      await dialog.getByRole("button", { name: "Adjust" }).click();
      await dialog.getByText("There is not enough stock").waitFor();
      await dialog.getByText("goods 1: 16 asked for, 15 there").waitFor();
      assertEquals(await level(1), { num: 15, onHand: 15, reserved: 0, version: "2" });
      await dialog.getByLabel("Units that come").fill("-3");
      await dialog.getByRole("button", { name: "Adjust" }).click();
      await page.getByText("Adjusted: 12 on hand now").waitFor();
      assertEquals((await level(1)).num, 12);
    });

    await step("to another location, which is offered from then on", async () => {
      await page.goto("/goods/2");
      await page.getByRole("heading", { level: 1, name: "mug" }).waitFor();
      await action(page, "Transfer").click();
      const dialog = page.getByRole("dialog");
      await dialog.getByLabel("Units").fill("4");
      await dialog.getByLabel("To location").fill("0");
      await dialog.getByRole("button", { name: "Transfer" }).click();
      await dialog.getByText("Another location than where it is now.").waitFor();
      await dialog.getByLabel("To location").fill("3");
      await dialog.getByRole("button", { name: "Transfer" }).click();
      await page.getByText("4 transferred to location 3").waitFor();
      await page.getByLabel("Location", { exact: true }).selectOption("3");
      await page.waitForURL("**/goods/2?location=3");
      await page.locator("#available", { hasText: "4" }).waitFor();
      assertEquals((await level(2)).num, 6);
    });

    await step("by a policy, whose safety stock is in the formula", async () => {
      await page.goto("/goods/3");
      await action(page, "Policy").click();
      const dialog = page.getByRole("dialog");
      await dialog.getByLabel("Safety stock").fill("2");
      await dialog.getByLabel("Holds last").fill("soon");
      await dialog.getByRole("button", { name: "Policy" }).click();
      await dialog.getByText("A time, such as 90s").waitFor();
      await dialog.getByLabel("Holds last").fill("30m");
      await shows(async () => (await changes(dialog)).available, ["10", "8"]);
      await dialog.getByRole("button", { name: "Policy" }).click();
      await page.getByText("8 available = 10 on hand − 0 reserved − 2 safety stock").waitFor();
      const { policy } = await call("StockService/GetPolicy", { goodsId: 3 });
      assertEquals((policy as Record<string, unknown>).holdTtl, "1800s");
    });

    await step("by a policy though sales have come between, and not over another policy", async () => {
      const dialog = page.getByRole("dialog");
      await action(page, "Policy").click();
      await dialog.getByLabel("Safety stock").fill("3");
      await call("InventoryService/Sell", { orderId: "between", goodsInfo: [{ goodsId: 3, num: 1 }] });
      await dialog.getByRole("button", { name: "Policy" }).click();
      await page.locator("#safety", { hasText: "3" }).waitFor();
      await action(page, "Policy").click();
      await dialog.getByLabel("Safety stock").fill("4");
      await call("StockService/SetPolicy", { goodsId: 3, policy: { safetyStock: 5 } });
      await dialog.getByRole("button", { name: "Policy" }).click();
      await dialog.getByText("Somebody changed it meanwhile, so nothing was done.").waitFor();
      await dialog.getByText("It is 5 now").waitFor();
      assertEquals(await dialog.getByLabel("Safety stock").inputValue(), "4");
      assertEquals(await level(3), { num: 4, onHand: 9, reserved: 0, version: "5" });
      await page.keyboard.press("Escape");
    });

    await step("and never over one that the page has not read yet, though it has its numbers", async () => {
      const dialog = page.getByRole("dialog");
      const released = Promise.withResolvers<void>();
      await page.route("**/inventory.v1.QueryService/ListInv*", async (route) => {
        await released.promise;
        await route.continue();
      });
      await call("StockService/SetPolicy", { goodsId: 3, policy: { safetyStock: 1, orderNumMax: 6 } });
      await page.locator("#safety", { hasText: "1" }).waitFor();
      await action(page, "Policy").click();
      await dialog.getByLabel("Safety stock").fill("2");
      await dialog.getByRole("button", { name: "Policy" }).click();
      await page.locator("#safety", { hasText: "2" }).waitFor();
      const { policy } = await call("StockService/GetPolicy", { goodsId: 3 });
      assertEquals((policy as Record<string, unknown>).orderNumMax, 6);
      released.resolve();
      await page.unrouteAll({ behavior: "wait" });
    });

    await step("off sale, with its holds released first, and on sale again", async () => {
      const lines = { orderId: "h-4", goodsInfo: [{ goodsId: 4, num: 2 }] };
      await call("HoldService/Reserve", lines);
      await page.goto("/goods/4");
      await action(page, "Take off sale").click();
      const dialog = page.getByRole("dialog");
      await dialog.getByText("Live holds have 2 of it").waitFor();
      await dialog.getByLabel("Release the holds").check();
      await dialog.getByRole("button", { name: "Take off sale" }).click();
      await page.getByText("Off sale", { exact: true }).waitFor();
      await action(page, "Put on sale again").click();
      await dialog.getByRole("button", { name: "Put on sale again" }).click();
      await page.getByText("On sale", { exact: true }).waitFor();
      assertEquals(await level(4), { num: 10, onHand: 10, reserved: 0, version: "5" });
    });

    await step("by two people at once: the second is refused with words, and keeps what was typed", async () => {
      const other = await (await profile()).newPage();
      for (const [who, num] of [[page, "20"], [other, "30"]] as const) {
        await who.goto("/goods/5");
        await action(who, "Set").click();
        await who.getByLabel("New number").fill(num);
      }
      await page.getByRole("dialog").getByRole("button", { name: "Set", exact: true }).click();
      await page.getByText("Set: 20 available now").waitFor();
      const dialog = other.getByRole("dialog");
      await dialog.getByRole("button", { name: "Set", exact: true }).click();
      await dialog.getByText("Somebody changed it meanwhile, so nothing was done.").waitFor();
      assertEquals(await level(5), { num: 20, onHand: 20, reserved: 0, version: "2" });
      assertEquals(await dialog.getByLabel("New number").inputValue(), "30");
      await shows(async () => (await changes(dialog)).available, ["20", "30"]);
      await dialog.getByRole("button", { name: "Set", exact: true }).click();
      await other.getByText("Set: 30 available now").waitFor();
      assertEquals((await level(5)).version, "3");
    });

    await step("and whoever goes on at once goes on from what they have made of it", async () => {
      await page.goto("/goods/5");
      await page.locator("#available", { hasText: "30" }).waitFor();
      const [asked, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      await action(page, "Adjust").click();
      const dialog = page.getByRole("dialog");
      await dialog.getByLabel("Units that come").fill("2");
      await page.route("**/inventory.v1.QueryService/ListInv*", async (route) => {
        asked.resolve();
        await released.promise;
        await route.continue();
      });
      // A page whose stream has begun late reads anew by itself, perhaps before it is adjusted.
      const adjusted = page.waitForResponse("**/inventory.v1.StockService/AdjustInv");
      await dialog.getByRole("button", { name: "Adjust" }).click();
      await adjusted;
      await asked.promise;
      assertEquals([(await level(5)).num, await dialog.count()], [32, 1], "it waits until the page has read it");
      released.resolve();
      await dialog.waitFor({ state: "detached" });
      await action(page, "Set").click();
      await dialog.getByLabel("New number").fill("40");
      assertEquals((await changes(dialog)).available, ["32", "40"]);
      await page.keyboard.press("Escape");
      await page.unrouteAll({ behavior: "wait" });
    });

    await step("once, also where the answer is lost and it is sent again", async () => {
      await page.goto("/goods/6");
      let sent = 0;
      for (const method of ["StockService/AdjustInv", "InventoryService/SetInv"]) {
        await page.route(`**/inventory.v1.${method}`, async (route) => {
          sent++;
          await route.fetch();
          await route.abort("connectionreset");
        }, { times: 1 });
      }
      await action(page, "Adjust").click();
      const dialog = page.getByRole("dialog");
      await dialog.getByLabel("Units that come").fill("-4");
      await dialog.getByRole("button", { name: "Adjust" }).click();
      await dialog.getByText("Sending it again is safe").waitFor();
      assertEquals([sent, (await level(6)).num], [1, 26]);
      await dialog.getByRole("button", { name: "Adjust" }).click();
      await page.getByText("Adjusted: 26 on hand now").waitFor();
      assertEquals((await level(6)).version, "2");
      await action(page, "Set").click();
      await dialog.getByLabel("New number").fill("30");
      await dialog.getByRole("button", { name: "Set", exact: true }).click();
      await dialog.getByText("Sending it again is safe").waitFor();
      await dialog.getByRole("button", { name: "Set", exact: true }).click();
      await page.getByText("Set: 30 available now").waitFor();
      assertEquals([sent, (await level(6)).version], [2, "3"]);
    });

    await step("by the keyboard alone, and Esc changes nothing", async () => {
      const button = action(page, "Adjust");
      await button.focus();
      await page.keyboard.press("Enter");
      await page.getByRole("dialog").waitFor();
      await page.keyboard.type("-5");
      await page.keyboard.press("Escape");
      await page.getByRole("dialog").waitFor({ state: "detached" });
      await shows(() => button.evaluate((element) => element.matches(":focus")), true, "the focus is back");
      await page.keyboard.press("Enter");
      await page.keyboard.type("7");
      await page.keyboard.press("Enter");
      await page.getByText("Adjusted: 37 on hand now").waitFor();
    });
  },
);

browserTest("a transfer says where it leads, also behind the locations that the page knows", {}, async (
  { page, server },
) => {
  const call = shopOf(server.url);
  for (const from of [0, LISTED_MAX]) {
    const ids = Array.from({ length: from === 0 ? LISTED_MAX : 5 }, (_, i) => from + i);
    const operations = ids.map((locationId) => ({ setInv: { goodsId: 1, locationId, num: 10 + locationId } }));
    await call("StockService/ApplyBatch", { operations });
  }
  await page.goto("/goods/1");
  await page.locator("#available", { hasText: "10" }).waitFor();
  await action(page, "Transfer").click();
  const dialog = page.getByRole("dialog");
  const other = (locationId: number) => dialog.getByRole("table", { name: `Location ${locationId}`, exact: true });
  const onHand = (locationId: number) => other(locationId).locator("[data-before=on-hand], [data-after=on-hand]");
  await dialog.getByLabel("Units").fill("4");
  for (const locationId of [3, LISTED_MAX + 4, LISTED_MAX + 5, LISTED_MAX + 2]) {
    const before = locationId === LISTED_MAX + 5 ? 0 : 10 + locationId;
    await dialog.getByLabel("To location").fill(`${locationId}`);
    const expected = [before, before + 4].map((num) => num.toLocaleString("en"));
    await shows(() => onHand(locationId).allInnerTexts(), expected, `location ${locationId}`);
  }

  // What is sold there meanwhile is seen, too.
  const locationId = LISTED_MAX + 2;
  await call("InventoryService/Sell", { orderId: "there", goodsInfo: [{ goodsId: 1, locationId, num: 12 }] });
  await shows(() => onHand(locationId).allInnerTexts(), ["1,000", "1,004"]);
  await dialog.getByRole("button", { name: "Transfer" }).click();
  await page.getByText(`4 transferred to location ${locationId}`).waitFor();
  const { num } = await call("InventoryService/InvDetail", { goodsId: 1, locationId });
  assertEquals(num, 1004);
});

/** Before and after, of the numbers that change. */
async function changes(dialog: ReturnType<Page["getByRole"]>): Promise<Record<string, [string, string]>> {
  const rows = await dialog.locator("tbody tr").evaluateAll((rows) =>
    rows.map((row) => {
      const [before, after] = row.querySelectorAll<HTMLElement>("td");
      return [
        before?.dataset.before ?? "",
        before?.textContent?.trim() ?? "",
        after?.textContent?.trim() ?? "",
      ] as const;
    })
  );
  return Object.fromEntries(rows.filter(([, before, after]) => before !== after).map(([id, ...both]) => [id, both]));
}

/** A button of what can be done. */
function action(page: Page, name: string) {
  return page.getByRole("group", { name: /^(Actions|操作)$/ }).getByRole("button", { name, exact: true });
}
