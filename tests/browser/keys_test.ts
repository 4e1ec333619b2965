/** Callers with keys: how one is typed in, what it allows to see, and how it is forgotten. */
import { assert, assertEquals } from "@std/assert";
import type { Page } from "playwright-core";
import { until } from "../../src/base/bounded_wait.ts";
import { addTestKey, type TestKey } from "../support/api_keys.ts";
import { ownerOf } from "../support/database.ts";
import type { TestServer } from "../support/server.ts";
import { browserTest, checkAccessible, shows, takePictures } from "./support/browser.ts";
import { shopOf } from "./support/shop.ts";

const KNOWN_MS_MAX = 60_000;

browserTest("a key opens the page, as far as its rights go", { env: { AUTH: "keys" } }, async (test) => {
  const { page, server, context, step, open } = test;
  await using owner = ownerOf(server.databaseOwnerUrl);
  const reader = await addTestKey(owner.sql, { name: "till 7", rights: ["reader"] });
  const operator = await addTestKey(owner.sql, { name: "ops", rights: ["operator"] });
  await known(server, reader);
  await known(server, operator);

  await step("without one it is asked for, and nothing else is shown", async () => {
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await shows(() => page.getByLabel("Key or token").getAttribute("type"), "password");
    await checkAccessible(page);
    await takePictures(page, "sign_in");
  });

  await step("one that is unknown, and one that can be none, are refused in words", async () => {
    await signIn(page, "hf_nobody_knows");
    await page.getByText("The server does not know this key").waitFor();
    await signIn(page, "two words");
    await page.getByText("A key has no spaces").waitFor();
    await signIn(page, "");
    await page.getByText("Type in a key").waitFor();
  });

  await step("a good one opens the page, and says who calls", async () => {
    await signIn(page, `Bearer ${reader.key}`);
    await page.getByRole("heading", { level: 1, name: "Goods" }).waitFor();
    await page.getByRole("button", { name: "Settings" }).click();
    await page.getByText("till 7").waitFor();
    await page.keyboard.press("Escape");
  });

  await step("what its rights don't allow is said", async () => {
    await page.goto("/system");
    await page.getByText("does not have the right “operator”").waitFor();
    await checkAccessible(page);
  });

  await step("it is this tab's, stands in no address, and lives through a reload", async () => {
    assertEquals(page.url().includes(reader.key), false);
    assertEquals(await page.evaluate(() => localStorage.length + document.cookie.length), 0);
    await page.reload();
    await page.getByText("does not have the right “operator”").waitFor();
    const other = await open("/goods");
    await other.getByRole("heading", { name: "Sign in" }).waitFor();
    await other.close();
  });

  await step("another one takes its place, and is remembered where that is asked for", async () => {
    await page.getByRole("button", { name: "Settings" }).click();
    await page.getByRole("button", { name: "Use another key" }).click();
    await page.getByLabel("Remember it in this browser").check();
    await signIn(page, operator.key);
    await page.getByRole("heading", { name: "Lock nodes" }).waitFor();
    const other = await open("/system");
    await other.getByRole("heading", { name: "Lock nodes" }).waitFor();
    const own = await open("/system");
    await own.getByRole("button", { name: "Settings" }).click();
    await own.getByRole("button", { name: "Use another key" }).click();
    await signIn(own, reader.key);
    await own.getByText("does not have the right “operator”").waitFor();
    // Forgotten in one tab it is forgotten in all that call by it, and in no other.
    await other.getByRole("button", { name: "Settings" }).click();
    await other.getByRole("button", { name: "Forget the key" }).click();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await own.getByText("does not have the right “operator”").waitFor();
    await other.getByLabel("Remember it in this browser").check();
    await signIn(other, operator.key);
    await page.getByRole("heading", { name: "Lock nodes" }).waitFor();
    for (const tab of [other, own]) await tab.close();
  });

  await step("one that is revoked is asked for anew", async () => {
    await owner.sql`update api_keys set revoked_at = now() where key_id = ${operator.id}`;
    await page.getByText("The server does not know this key").waitFor();
  });

  await step("what is forgotten is forgotten everywhere", async () => {
    await page.getByRole("button", { name: "Settings" }).click();
    await page.getByRole("button", { name: "Forget the key" }).click();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    assertEquals(await page.evaluate(() => localStorage.length + sessionStorage.length), 0);
    assertEquals(context.pages().length, 1);
  });
});

browserTest("what is typed outlives the key", { env: { AUTH: "keys" } }, async (test) => {
  const { page, server, step } = test;
  await using owner = ownerOf(server.databaseOwnerUrl);
  const rights = ["seller", "stocker"] as const;
  const keyOf = async (name: string) => {
    const key = await addTestKey(owner.sql, { name, rights });
    await known(server, key);
    return key;
  };
  const nextKey = () => keyOf("till 7");
  const revoke = ({ id }: TestKey) => owner.sql`update api_keys set revoked_at = now() where key_id = ${id}`;
  const isAsked = () => page.getByText("The server does not know this key").waitFor();
  const dialog = page.getByRole("dialog");
  let key = await nextKey();
  const call = (method: string, body: unknown) => shopOf(server.url, key.headers)(method, body);

  await step("in a dialog of one goods, which is away while a key is asked for", async () => {
    await signIn(page, key.key);
    await page.getByRole("heading", { level: 1, name: "Goods" }).waitFor();
    await call("InventoryService/SetInv", { goodsId: 1, num: 10 });
    await page.goto("/goods/1");
    const button = page.getByRole("group", { name: "Actions" }).getByRole("button", { name: "Adjust", exact: true });
    await button.click();
    await dialog.getByLabel("Units that come").fill("-4");
    await dialog.getByLabel("Document").fill("D-17");
    await revoke(key);
    await isAsked();
    assertEquals([await dialog.count(), await page.getByRole("heading", { name: "Holds" }).count()], [0, 0]);
    await checkAccessible(page);
    await signIn(page, (key = await nextKey()).key);
    await dialog.waitFor();
    await shows(() => dialog.getByLabel("Units that come").inputValue(), "-4");
    await shows(() => dialog.getByLabel("Document").inputValue(), "D-17");
    await dialog.getByRole("button", { name: "Adjust" }).click();
    await page.getByText("Adjusted: 6 on hand now").waitFor();
    await dialog.waitFor({ state: "detached" });
    await shows(() => button.evaluate((element) => element.matches(":focus")), true, "the focus is back");
  });

  await step("where it is the sending that is refused: nothing is done, and it may be sent again", async () => {
    // Of the level that the page shows, which hears of what was done a moment after it is said.
    await page.locator("#available", { hasText: "6" }).waitFor();
    await page.getByRole("button", { name: "Set", exact: true }).click();
    await dialog.getByLabel("New number").fill("20");
    await page.route("**/inventory.v1.InventoryService/SetInv", (route) => route.fulfill({ status: 401 }), {
      times: 1,
    });
    await dialog.getByRole("button", { name: "Set", exact: true }).click();
    await isAsked();
    await signIn(page, key.key);
    await dialog.getByText("The server did not take the key, so nothing was done.").waitFor();
    const { levels } = await call("QueryService/ListInv", { goodsIds: [1] });
    assertEquals((levels as { num: number }[])[0]?.num, 6);
    await dialog.getByRole("button", { name: "Set", exact: true }).click();
    await page.getByText("Set: 20 available now").waitFor();
  });

  await step("what changed meanwhile is there, and what is only read says nothing of the key", async () => {
    await revoke(key);
    await isAsked();
    key = await nextKey();
    await call("HoldService/Reserve", { orderId: "h", goodsInfo: [{ goodsId: 1, num: 3 }], ttl: "600s" });
    await signIn(page, key.key);
    await page.locator("hf-goods-holds").getByRole("link", { name: "h", exact: true }).waitFor();
    await page.locator("#reserved", { hasText: "3" }).waitFor();
    assertEquals(await page.getByText("did not take the key").count(), 0);
  });

  await step("in a new order, also while the server is away meanwhile", async () => {
    await page.goto("/orders");
    await page.getByRole("button", { name: "New order" }).click();
    await dialog.getByLabel("Goods, line 1").fill("1");
    await dialog.getByLabel("Units, line 1").fill("2");
    const orderId = await dialog.getByLabel("Order id").inputValue();
    await revoke(key);
    await isAsked();
    await page.route("**/inventory.v1.SystemService/WhoAmI", (route) => route.abort(), { times: 1 });
    await signIn(page, (key = await nextKey()).key);
    await page.getByRole("heading", { name: "The server can't be reached" }).waitFor();
    // The page tries again by itself too, which on a busy machine may be before the button is reached.
    await Promise.any([page.getByRole("button", { name: "Try again" }).click(), dialog.waitFor()]);
    await dialog.waitFor();
    await shows(() => dialog.getByLabel("Units, line 1").inputValue(), "2");
    await dialog.getByRole("button", { name: "Sell", exact: true }).click();
    await page.waitForURL((url) => url.pathname === `/orders/${orderId}`);
  });

  await step("in the grid of goods, and in what is pasted there", async () => {
    await page.goto("/goods?mode=edit");
    const field = page.getByRole("grid").locator(".entry input");
    await field.fill("30");
    await page.getByRole("button", { name: "Paste a list" }).click();
    await dialog.getByRole("textbox").fill("1 40");
    await revoke(key);
    await isAsked();
    await signIn(page, (key = await nextKey()).key);
    await shows(() => dialog.getByRole("textbox").inputValue(), "1 40");
    await dialog.getByRole("button", { name: "Cancel" }).click();
    await shows(() => field.inputValue(), "30");
    await page.getByRole("button", { name: "Apply 1" }).click();
    await page.getByRole("toolbar").getByText("1 applied").waitFor();
  });

  await step("but not for another caller, and not for one who has the key forgotten", async () => {
    await page.goto("/goods/1");
    const button = page.getByRole("button", { name: "Adjust", exact: true });
    await button.click();
    await dialog.getByLabel("Units that come").fill("-4");
    await revoke(key);
    await isAsked();
    const other = await keyOf("till 8");
    await signIn(page, other.key);
    await button.waitFor();
    assertEquals(await dialog.count(), 0);
    await button.click();
    await dialog.getByLabel("Units that come").fill("-4");
    await revoke(other);
    await isAsked();
    await page.getByRole("button", { name: "Settings" }).click();
    await page.getByRole("button", { name: "Forget the key" }).click();
    await page.getByText("The server does not know this key").waitFor({ state: "detached" });
    await shows(() => page.locator("hf-one-goods").count(), 0);
  });
});

/** Waits until the server knows a key: they are looked at again once a second. */
async function known(server: TestServer, key: TestKey): Promise<void> {
  const isKnown = async () => (await ask(server, key, "SystemService/WhoAmI")).code === undefined;
  assert(await until(isKnown, KNOWN_MS_MAX), "the server does not know the key");
}

async function ask({ url }: TestServer, { headers }: TestKey, method: string) {
  const answer = await fetch(`${url}/inventory.v1.${method}`, {
    method: "POST",
    headers: { ...headers, "content-type": "application/json" },
    body: "{}",
  });
  return await answer.json() as Record<string, unknown>;
}

async function signIn(page: Page, key: string): Promise<void> {
  await page.getByLabel("Key or token").fill(key);
  await page.getByRole("button", { name: "Sign in" }).click();
}
