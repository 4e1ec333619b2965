/** The frame of the page: where to go, by mouse and by keyboard, in both languages, and what every page is. */
import { assertEquals } from "@std/assert";
import { browserTest, checkAccessible, takePictures } from "./support/browser.ts";

browserTest("the frame leads from page to page", {}, async ({ page, step }) => {
  await step("by its links, without loading anything anew", async () => {
    await page.evaluate(() => (globalThis as unknown as { kept: boolean }).kept = true);
    for (const [name, path] of [["Orders", "/orders"], ["System", "/system"], ["Goods", "/goods"]] as const) {
      await page.getByRole("navigation").getByRole("link", { name }).click();
      await page.getByRole("heading", { level: 1, name }).waitFor();
      assertEquals(new URL(page.url()).pathname, path);
    }
    await page.goBack();
    await page.getByRole("heading", { level: 1, name: "System" }).waitFor();
    assertEquals(await page.evaluate(() => (globalThis as unknown as { kept?: boolean }).kept), true);
  });

  for (const path of ["/goods", "/orders", "/system"]) {
    await step(`axe finds nothing serious at ${path}`, async () => {
      await page.goto(path);
      await page.getByRole("heading", { level: 1 }).waitFor();
      await checkAccessible(page);
      await takePictures(page, path.slice(1));
    });
  }
});
