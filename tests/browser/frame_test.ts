/** The frame of the page: where to go, by mouse and by keyboard, in both languages, and what every page is. */
import { assert, assertEquals } from "@std/assert";
import { until } from "../../src/base/bounded_wait.ts";
import { browserTest, checkAccessible, shows } from "./support/browser.ts";

/** A page that keys lead to is looked for this long before they are pressed once more, and at most. */
const [GO_MS_MAX, GONE_MS_MAX] = [5_000, 20_000];
const [LIGHT, DARK] = ["rgb(247, 248, 249)", "rgb(17, 20, 24)"];
/** What the system has, what was chosen, and the colour behind all of the page. */
const FIRST_COLORS = [
  ["light", "", LIGHT],
  ["dark", "", DARK],
  ["dark", "system", DARK],
  ["dark", "light", LIGHT],
  ["light", "dark", DARK],
] as const;

browserTest("the frame leads from page to page, and follows its reader", {}, async (test) => {
  const { page: first, step, profile } = test;
  await step("by its links, without loading anything anew", async () => {
    await first.evaluate(() => (globalThis as unknown as { kept: boolean }).kept = true);
    for (const [name, path] of [["Orders", "/orders"], ["System", "/system"], ["Goods", "/goods"]] as const) {
      await first.getByRole("navigation").getByRole("link", { name }).click();
      await first.getByRole("heading", { level: 1, name }).waitFor();
      assertEquals(new URL(first.url()).pathname, path);
    }
    await first.goBack();
    await first.getByRole("heading", { level: 1, name: "System" }).waitFor();
    assertEquals(await first.evaluate(() => (globalThis as unknown as { kept?: boolean }).kept), true);
  });

  for (const path of ["/goods", "/orders", "/system"]) {
    await step(`axe finds nothing serious at ${path}`, async () => {
      await first.goto(path);
      await first.getByRole("heading", { level: 1 }).waitFor();
      await checkAccessible(first);
    });
  }

  const page = await (await profile({ locale: "zh-CN" })).newPage();
  await step("in the browser's language, until another one is chosen for good", async () => {
    await page.goto("/goods");
    await page.getByRole("heading", { level: 1, name: "商品" }).waitFor();
    await shows(() => page.getAttribute("html", "lang"), "zh-CN");
    await page.getByRole("button", { name: "设置" }).click();
    await page.getByLabel("语言").selectOption("en");
    await page.getByRole("heading", { level: 1, name: "Goods" }).waitFor();
    await page.reload();
    await page.getByRole("heading", { level: 1, name: "Goods" }).waitFor();
  });

  await step("dark where the system is, and where that is chosen", async () => {
    const themed = (theme: string) => page.locator(`html[data-theme="${theme}"]`).waitFor();
    await themed("light");
    await page.emulateMedia({ colorScheme: "dark" });
    await themed("dark");
    await page.getByRole("button", { name: "Settings" }).click();
    await page.getByLabel("Colours").selectOption("light");
    await themed("light");
    await page.keyboard.press("Escape");
  });

  await step("from the first picture on, before the page's own scripts are there", async () => {
    for (const [system, choice, color] of FIRST_COLORS) {
      const fresh = await profile({ colorScheme: system });
      await fresh.addInitScript((choice) => {
        if (choice !== "" && location.protocol === "http:") localStorage.setItem("holdfast.theme", choice);
      }, choice);
      await fresh.route("**/assets/main-*.js", (route) => route.abort());
      const page = await fresh.newPage();
      await page.goto("/goods");
      const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
      await shows(background, color, `the system is ${system}, chosen is ${choice || "nothing"}`);
      await fresh.close();
    }
  });

  /** The second key counts for so long behind the first one, which on a starved machine it may miss. */
  const goBy = async (key: string, name: string) => {
    const heading = page.getByRole("heading", { level: 1, name });
    assert(
      await until(async () => {
        for (const each of ["g", key]) await page.keyboard.press(each);
        return await heading.waitFor({ timeout: GO_MS_MAX }).then(() => true, () => false);
      }, GONE_MS_MAX),
      `g and ${key} do not lead to ${name}`,
    );
  };
  await step("by keyboard alone", async () => {
    await page.locator("main").focus();
    await page.keyboard.press("?");
    await page.getByRole("dialog").getByText("Search").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await goBy("s", "System");
    await shows(() => page.evaluate(() => document.activeElement?.shadowRoot?.activeElement?.id), "main");
    await goBy("o", "Orders");
    await page.reload();
    await page.getByRole("heading", { level: 1, name: "Orders" }).waitFor();
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await shows(() => page.evaluate(() => document.activeElement?.shadowRoot?.activeElement?.id), "main");
  });

  await step("where the browser may keep nothing it works all the same", async () => {
    const strict = await profile();
    await strict.addInitScript(() => {
      for (const name of ["localStorage", "sessionStorage"]) {
        Object.defineProperty(globalThis, name, {
          get() {
            throw new DOMException("Access is denied for this document.", "SecurityError");
          },
        });
      }
    });
    const page = await strict.newPage();
    await page.goto("/goods");
    await page.getByRole("heading", { level: 1, name: "Goods" }).waitFor();
    await page.getByRole("button", { name: "Settings" }).click();
    await page.getByLabel("Language").selectOption("zh");
    await page.getByRole("heading", { level: 1, name: "商品" }).waitFor();
    await strict.close();
  });

  await step("on a phone it leads from its foot, and nothing is wider than the screen", async () => {
    await page.setViewportSize({ width: 360, height: 740 });
    for (const name of ["System", "Goods", "Orders"]) {
      await page.getByRole("navigation").getByRole("link", { name }).click();
      await page.getByRole("heading", { level: 1, name }).waitFor();
      await shows(() => page.evaluate(() => document.documentElement.scrollWidth), 360, name);
    }
  });
});
