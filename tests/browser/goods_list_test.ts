/** The list of goods: found, filtered, sorted and walked through, by mouse and by keyboard, whatever its size. */
import { assertEquals } from "@std/assert";
import { call } from "../support/callers.ts";
import { browserTest, checkAccessible, takePictures } from "./support/browser.ts";
import { makeGoods } from "./support/made_goods.ts";

browserTest("goods are found", { path: "/goods" }, async ({ page, server, step }) => {
  await step("an empty shop says how it gets goods", async () => {
    await page.getByRole("heading", { name: "No goods yet" }).waitFor();
  });
  await makeGoods(server, 3000);
  await call(server.url, "SetInv", { goodsId: 3001, num: 0 });
  await page.reload();
  await step("rows", async () => {
    await page.getByRole("row", { name: /SKU-0001/ }).waitFor();
    assertEquals(await page.getByRole("grid").getAttribute("aria-rowcount"), "3002");
    await checkAccessible(page);
    await takePictures(page, "goods");
  });
});
