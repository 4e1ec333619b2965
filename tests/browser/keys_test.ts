/** Callers with keys: how one is typed in, what it allows to see, and how it is forgotten. */
import { assertEquals } from "@std/assert";
import type { Page } from "playwright-core";
import { addTestKey } from "../support/api_keys.ts";
import { ownerOf } from "../support/database.ts";
import { browserTest, checkAccessible, shows, takePictures } from "./support/browser.ts";

browserTest("a key opens the page, as far as its rights go", { env: { AUTH: "keys" } }, async (test) => {
  const { page, server, context, step, open } = test;
  await using owner = ownerOf(server.databaseOwnerUrl);
  const reader = await addTestKey(owner.sql, { name: "till 7", rights: ["reader"] });
  const operator = await addTestKey(owner.sql, { name: "ops", rights: ["operator"] });

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

async function signIn(page: Page, key: string): Promise<void> {
  await page.getByLabel("Key or token").fill(key);
  await page.getByRole("button", { name: "Sign in" }).click();
}
