/** Orders: each action from the page, what it says beforehand, and what it comes to. */
import { assert, assertEquals } from "@std/assert";
import type { Page } from "playwright-core";
import postgres from "postgres";
import { until } from "../../src/base/bounded_wait.ts";
import { browserTest, shows } from "./support/browser.ts";
import { makeGoods } from "./support/made_goods.ts";
import { shopOf } from "./support/shop.ts";

const EXPIRES_MS_MAX = 60_000;
const DAY_MS = 86_400_000;
/** Two pages and a part of one. */
const MANY_SHORTFALLS = 120;
/** As many as an order may have. */
const MANY_LINES = 500;

browserTest("orders are made and ended from their page", { path: "/orders" }, async ({ page, server, step }) => {
  const call = shopOf(server.url);
  const numbers = async (goodsId: number) => {
    const { num, onHand, reserved } = await call("InventoryService/InvDetail", { goodsId });
    return { num, onHand, reserved };
  };
  await call("InventoryService/SetInv", { goodsId: 1, num: 10, sku: "mug" });
  await call("InventoryService/SetInv", { goodsId: 2, num: 10 });
  const dialog = page.getByRole("dialog");

  await step("nothing is there yet, and says so", async () => {
    await page.getByText("There are no orders yet.").waitFor();
  });

  let sold = "";
  await step("sold, by id and by SKU, under an id that the page has made", async () => {
    await page.getByRole("button", { name: "New order" }).click();
    await dialog.getByRole("button", { name: "Sell" }).click();
    await dialog.getByText("At least one line.").waitFor();
    await dialog.getByLabel("Goods, Line 1").fill("mug");
    await dialog.getByLabel("Units, Line 1").fill("11");
    await dialog.getByText("mug: 11 asked for, 10 there").waitFor();
    await dialog.getByLabel("Units, Line 1").fill("2");
    await dialog.getByRole("button", { name: "Add a line" }).click();
    await dialog.getByLabel("Goods, Line 2").fill("2");
    await dialog.getByLabel("Units, Line 2").fill("3");
    await dialog.getByLabel("Buyer").fill("bob");
    await dialog.getByText("As things are now it gets all of it.").waitFor();
    assertEquals(await numbers(1), { num: 10, onHand: 10, reserved: 0 });
    sold = await dialog.getByLabel("Order id").inputValue();
    await dialog.getByRole("button", { name: "Sell" }).click();
    await page.waitForURL(`**/orders/${sold}`);
    await page.getByText(`Order ${sold} is sold`).waitFor();
    await page.locator("hf-one-order").getByText("Sold", { exact: true }).first().waitFor();
    assertEquals([await numbers(1), await numbers(2)], [
      { num: 8, onHand: 8, reserved: 0 },
      { num: 7, onHand: 7, reserved: 0 },
    ]);
  });

  await step("and not once more under the same id, which is said", async () => {
    await page.goto("/orders");
    await page.getByRole("button", { name: "New order" }).click();
    await dialog.getByLabel("Goods, Line 1").fill("mug");
    await dialog.getByLabel("Units, Line 1").fill("2");
    await dialog.getByRole("button", { name: "Add a line" }).click();
    await dialog.getByLabel("Goods, Line 2").fill("2");
    await dialog.getByLabel("Units, Line 2").fill("3");
    await dialog.getByLabel("Buyer").fill("bob");
    await dialog.getByLabel("Order id").fill(sold);
    await dialog.getByRole("button", { name: "Sell" }).click();
    await page.getByText("It was so already").waitFor();
    await page.waitForURL(`**/orders/${sold}`);
    assertEquals(await numbers(1), { num: 8, onHand: 8, reserved: 0 });
  });

  await step("rolled back, a part and then the whole, with what each brings back", async () => {
    await action(page, "Roll back").click();
    await dialog.getByLabel("Units, Goods 2").fill("4");
    await dialog.getByRole("button", { name: "Roll back" }).click();
    await dialog.getByText("From 0 to 3.").waitFor();
    await dialog.getByLabel("Units, Goods 2").fill("1");
    await dialog.getByLabel("Units, mug").fill("0");
    await shows(() => effects(page), ["mug 0 0 0", "Goods 2 +1 +1 0"]);
    await dialog.getByLabel("Reason").selectOption("return");
    await dialog.getByRole("button", { name: "Roll back" }).click();
    await page.getByText(`1 unit of order ${sold} came back`).waitFor();
    assertEquals((await numbers(2)).num, 8);
    const row = page.locator("hf-one-order").getByRole("row", { name: "Goods 2 3 3 1" });
    assertEquals(await row.count(), 1, "what is done next begins with it");
    await action(page, "Roll back").click();
    await shows(() => effects(page), ["mug +2 +2 0", "Goods 2 +2 +2 0"]);
    await dialog.getByRole("button", { name: "Roll back" }).click();
    await page.locator("hf-one-order .badge").getByText("Rolled back").waitFor();
    assertEquals([(await numbers(1)).num, (await numbers(2)).num], [10, 10]);
    await action(page, "Roll back").waitFor({ state: "detached" });
  });

  await step("reserved for a time, extended, and confirmed in part", async () => {
    await page.goto("/orders");
    await page.getByRole("button", { name: "New order" }).click();
    await dialog.getByLabel("What to do").selectOption("reserve");
    await dialog.getByLabel("Goods, Line 1").fill("1");
    await dialog.getByLabel("Units, Line 1").fill("5");
    await dialog.getByLabel("Order id").fill("cart-1");
    await dialog.getByLabel("Lasts from now on").fill("10m");
    await dialog.getByRole("button", { name: "Reserve" }).click();
    await page.waitForURL("**/orders/cart-1");
    await page.getByText(/in [5-9]:/).waitFor();
    assertEquals(await numbers(1), { num: 5, onHand: 10, reserved: 5 });
    await action(page, "Extend").click();
    await dialog.getByLabel("Lasts from now on").fill("2h");
    await dialog.getByRole("button", { name: "Extend" }).click();
    await page.getByText(/in 1:5\d:/).waitFor();
    await action(page, "Confirm").click();
    await dialog.getByLabel("Units, mug").fill("4");
    await shows(() => effects(page), ["mug +1 -4 -5"]);
    await dialog.getByRole("button", { name: "Confirm" }).click();
    await page.getByText("Order cart-1 is sold").waitFor();
    assertEquals(await numbers(1), { num: 6, onHand: 6, reserved: 0 });
    const kinds = page.locator("hf-one-order section").nth(1).getByRole("row");
    await kinds.getByText("Hold confirmed").waitFor();
    await shows(() => kinds.count(), 4, "reserve, extend, confirm below the head");
  });

  await step("released", async () => {
    await call("HoldService/Reserve", { orderId: "cart-2", goodsInfo: [{ goodsId: 2, num: 3 }] });
    await page.goto("/orders/cart-2");
    await action(page, "Release").click();
    await shows(() => effects(page), ["Goods 2 3 +3 0 -3"]);
    await dialog.getByRole("button", { name: "Release" }).click();
    await page.locator("hf-one-order .badge").getByText("Released").waitFor();
    assertEquals(await numbers(2), { num: 10, onHand: 10, reserved: 0 });
  });

  await step("paid too late: a shortfall goes on record, and is resolved in words", async () => {
    await call("HoldService/Reserve", {
      orderId: "late",
      buyerId: "eve",
      goodsInfo: [{ goodsId: 2, num: 9 }],
      ttl: "0.05s",
    });
    assert(await until(async () => (await numbers(2)).num === 10, EXPIRES_MS_MAX), "the hold does not end");
    await call("InventoryService/Sell", { orderId: "fast", goodsInfo: [{ goodsId: 2, num: 4 }] });
    await page.goto("/orders/late");
    await page.locator("hf-one-order .badge").getByText("Expired").waitFor();
    await action(page, "Confirm").click();
    await dialog.getByText("The hold has expired: it is sold at once if there is stock still.").waitFor();
    await dialog.getByRole("button", { name: "Confirm" }).click();
    await dialog.getByText("its stock was sold to others meanwhile").waitFor();
    await dialog.getByText("goods 2: 9 asked for, 6 there").waitFor();
    assertEquals(await numbers(2), { num: 6, onHand: 6, reserved: 0 });
    await dialog.getByRole("button", { name: "Cancel" }).click();
    // One reading fails, as in a moment in which the database is busy.
    await page.route("**/inventory.v1.HoldService/ListShortfalls*", (route) => route.abort(), { times: 1 });
    await page.goto("/orders?list=shortfalls");
    await page.getByText("Goods 2: 9 asked for, 6 there").waitFor();
    await page.getByRole("button", { name: "Resolve late" }).click();
    await dialog.getByLabel("How it ended").fill("退款");
    await dialog.getByRole("button", { name: "Resolve" }).click();
    await dialog.getByText("Letters, digits and signs of ASCII alone.").waitFor();
    await dialog.getByLabel("How it ended").fill("refunded");
    await dialog.getByRole("button", { name: "Resolve" }).click();
    await page.getByText("No shortfalls wait for anybody.").waitFor();
    assertEquals((await call("HoldService/ListShortfalls", {})).shortfalls, []);
  });
});

const SHORTFALLS = "shortfalls are each shown once however fast more are asked for, and stay shown as one goes";
browserTest(SHORTFALLS, { path: "/orders" }, async ({ page, server }) => {
  const sql = postgres(server.databaseOwnerUrl, { max: 1, onnotice: () => {} });
  await sql`
    insert into shortfalls (order_id, goods_ids, location_ids, asked, available, created_at)
    select 'late-' || n, '{2}', '{0}', '{1}', '{0}', timestamptz '2026-01-01' + n * interval '1 s'
      from generate_series(1, ${MANY_SHORTFALLS}::int) as n`;
  await sql.end();
  await shopOf(server.url)("InventoryService/SetInv", { goodsId: 2, num: 0, sku: "pen" });
  await page.goto("/orders?list=shortfalls");
  await page.getByText("pen: 1 asked for, 0 there").first().waitFor();
  const ids = page.locator("hf-shortfalls tbody a");
  const all = Array.from({ length: MANY_SHORTFALLS }, (_, i) => `late-${i + 1}`);
  await shows(() => ids.allInnerTexts(), all.slice(0, 50));
  await askTwiceForMore(page, "HoldService/ListShortfalls");
  await shows(() => ids.allInnerTexts(), all);
  await page.getByRole("button", { name: "Resolve late-70", exact: true }).click();
  await page.getByRole("dialog").getByLabel("How it ended").fill("refunded");
  await page.getByRole("dialog").getByRole("button", { name: "Resolve" }).click();
  await shows(() => ids.allInnerTexts(), all.filter((id) => id !== "late-70"));
});

browserTest("who resolves a shortfall resolves the one that is shown, and none that has come since", {
  path: "/orders",
}, async (
  { page, server },
) => {
  const sql = postgres(server.databaseOwnerUrl, { max: 1, onnotice: () => {} });
  await sql`
    insert into shortfalls (order_id, goods_ids, location_ids, asked, available, created_at)
    values ('late', '{2}', '{0}', '{1}', '{0}', timestamptz '2026-01-01')`;
  const call = shopOf(server.url);
  const dialog = page.getByRole("dialog");
  const resolve = async () => {
    await dialog.getByLabel("How it ended").fill("refunded");
    await dialog.getByRole("button", { name: "Resolve" }).click();
  };
  await page.goto("/orders?list=shortfalls");
  await page.getByRole("button", { name: "Resolve late" }).click();
  // As if it had been resolved, reserved anew, and fallen short again.
  await sql`update shortfalls set opened_at = timestamptz '2026-01-02'`;
  await resolve();
  await dialog.getByText("the order has fallen short again").waitFor();
  const listed = async () => (await call("HoldService/ListShortfalls", {})).shortfalls as { openedAt: string }[];
  assertEquals((await listed()).map(({ openedAt }) => openedAt), ["2026-01-02T00:00:00Z"]);
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Resolve late" }).click();
  await resolve();
  await page.getByText("No shortfalls wait for anybody.").waitFor();
  assertEquals(await listed(), []);
  await sql.end();
});

browserTest(
  "an order that has moved more than a page shows says so, and shows the rest where it is asked to",
  {},
  async (
    { page, server },
  ) => {
    const call = shopOf(server.url);
    await makeGoods(server, MANY_LINES, 0);
    const goodsInfo = Array.from({ length: MANY_LINES }, (_, i) => ({ goodsId: i + 1, num: 1 }));
    const reserve = () => call("HoldService/Reserve", { orderId: "long", goodsInfo, ttl: "86400s" });
    for (let times = 0; times < 3; times++) await reserve();
    await page.goto("/orders/long");
    const rows = page.getByRole("region", { name: "Movements" }).locator("tbody tr");
    const more = page.getByRole("button", { name: "Show more" });
    await shows(() => rows.count(), 1000);
    await askTwiceForMore(page, "QueryService/ListMovements");
    await shows(() => rows.count(), 1500);
    await more.waitFor({ state: "detached" });
    // The first ones are at the end, once.
    await rows.last().filter({ hasText: "Goods" }).waitFor();
    // What comes then is in it, before the others, and all stay.
    await call("HoldService/ReleaseHold", { orderId: "long" });
    await shows(() => rows.count(), 2000);
    await shows(() => rows.filter({ hasText: "Released" }).count(), MANY_LINES);
  },
);

/** Asks for more, and again before anything has come of it: what comes moves the button away from under the pointer. */
async function askTwiceForMore(page: Page, method: string): Promise<void> {
  const asked = Promise.withResolvers<void>();
  await page.route(`**/inventory.v1.${method}*`, async (route) => {
    await asked.promise;
    await route.continue();
  });
  await page.getByRole("button", { name: "Show more" }).dblclick();
  asked.resolve();
  await page.unrouteAll({ behavior: "wait" });
}

/** A button of what can be done. */
function action(page: Page, name: string) {
  return page.getByRole("group", { name: "Actions" }).getByRole("button", { name, exact: true });
}

/** What the open dialog says that an action would move: goods, then available, on hand and reserved. */
async function effects(page: Page): Promise<string[]> {
  const rows = page.getByRole("dialog").locator("tbody tr");
  return await rows.evaluateAll((rows) =>
    rows.map((row) =>
      [...row.querySelectorAll("td")].map((cell) =>
        cell.querySelector("input") === null ? cell.textContent?.trim() ?? "" : ""
      ).filter((text) => text !== "").join(" ")
    )
  );
}

browserTest("holds end by the server's clock, whatever the browser's says", {}, async ({ server, step, profile }) => {
  const call = shopOf(server.url);
  await call("InventoryService/SetInv", { goodsId: 1, num: 10 });
  const hold = { orderId: "h-1", goodsInfo: [{ goodsId: 1, num: 2 }], ttl: "86400s" };
  await call("HoldService/Reserve", hold);

  for (const [name, aheadMs] of [["two days ahead", 2 * DAY_MS], ["two days behind", -2 * DAY_MS]] as const) {
    const page = await (await profile()).newPage();
    await page.clock.setSystemTime(Date.now() + aheadMs);

    await step(`on its page and in the list, with a browser that is ${name}`, async () => {
      await page.goto("/orders/h-1");
      await page.getByText("Held", { exact: true }).first().waitFor();
      await page.locator("#left", { hasText: /\b23:5\d:\d\d\b/ }).waitFor();
      await page.getByRole("button", { name: "Confirm" }).click();
      await page.getByRole("dialog").getByText("What the hold has is sold.").waitFor();
      await page.goto("/orders");
      await page.locator("[data-order=h-1]", { hasText: /\b23:5\d:\d\d\b/ }).waitFor();
    });

    await step(`among the holds of its goods, with a browser that is ${name}`, async () => {
      await page.goto("/goods/1");
      const row = page.getByRole("region", { name: "Holds" }).getByRole("row", { name: /h-1/ });
      await row.filter({ hasText: /\b23:5\d:\d\d\b/ }).waitFor();
    });
  }
});
