/** The stream of changes as pages take part in it: one for all tabs, taken up again when the server was away. */
import { createClient } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { assert, assertEquals } from "@std/assert";
import type { BrowserContext, Page } from "playwright-core";
import { until } from "../../src/base/bounded_wait.ts";
import { InventoryService } from "../../src/gen/inventory/v1/inventory_pb.ts";
import { SystemService } from "../../src/gen/inventory/v1/system_pb.ts";
import { browserTest } from "./support/browser.ts";
import { shopOf } from "./support/shop.ts";

const TABS = 10;
const FALLBACK_TABS = 3;
/** As `src/console/link/shared_stream.ts` has them. */
const LOOK_MS = 20_000;
const ANSWER_MS_MAX = 10_000;
const SETTLE_MS_MAX = 60_000;

browserTest("one stream for all tabs, which outlives the server", {}, async (test) => {
  const { page, server, context, step, open, profile, restart } = test;
  const call = shopOf(server.url);
  const system = createClient(SystemService, createGrpcWebTransport({ baseUrl: server.url }));
  const watchers = async () => (await system.getSystem({})).watchers;
  const settled = async (count: number) => {
    assert(await until(async () => await watchers() === count, SETTLE_MS_MAX), `${await watchers()} are open`);
  };

  await step("the first goods of all shows by itself, and what is sold of it", async () => {
    const shop = createClient(InventoryService, createGrpcWebTransport({ baseUrl: server.url }));
    await page.getByText("No goods yet").waitFor();
    await shop.setInv({ goodsId: 17, num: 50 });
    const row = page.getByRole("row").filter({ hasText: "17" });
    await row.filter({ hasText: "50" }).waitFor();
    await shop.sell({ orderId: "first", goodsInfo: [{ goodsId: 17, num: 3 }] });
    await row.filter({ hasText: "47" }).waitFor();
  });

  await call("InventoryService/SetInv", { goodsId: 1, num: 5 });

  await step("ten tabs at once are all live, by one stream", async () => {
    await live(page);
    const tabs = await Promise.all(Array.from({ length: TABS - 1 }, () => open("/system")));
    for (const tab of tabs) await live(tab);
    assertEquals(context.pages().length, TABS);
    await settled(1);
    for (const tab of tabs) await tab.close();
    await settled(1);
  });

  await step("a page that the browser freezes leaves it, and is up to date once it is thawed", async () => {
    const other = await profile();
    const tab = await tabOf(other, "/goods/1");
    const available = tab.locator("#available");
    await available.filter({ hasText: /^5$/ }).waitFor();
    await settled(2);
    // A browser freezes what nobody looks at, which no page without a window is.
    const say = (event: string) => tab.evaluate((name) => void document.dispatchEvent(new Event(name)), event);
    await say("freeze");
    await settled(1);
    await call("InventoryService/SetInv", { goodsId: 1, num: 7 });
    await say("resume");
    await available.filter({ hasText: /^7$/ }).waitFor();
    await settled(2);
    await other.close();
    await settled(1);
  });

  await step("a worker that says nothing any more is given up by who looks", async () => {
    const other = await profile();
    await other.clock.install();
    await other.addInitScript(silentAfterHello);
    const tab = await tabOf(other);
    await live(tab);
    await settled(1);
    for (const waitMs of [LOOK_MS, ANSWER_MS_MAX]) await other.clock.fastForward(waitMs + 1000);
    await settled(2);
    await other.close();
    await settled(1);
  });

  await step("without a worker to share one of the tabs has the stream, and another one when that goes", async () => {
    const other = await profile();
    await other.addInitScript(() => Reflect.deleteProperty(globalThis, "SharedWorker"));
    const tabs: Page[] = [];
    for (let i = 0; i < FALLBACK_TABS; i++) {
      const tab = await tabOf(other);
      // Once the first one is, it has the stream.
      await live(tab);
      tabs.push(tab);
    }
    await settled(2);
    const leader = await leaderOf(tabs[1]!);
    await tabs[0]!.close();
    const isAnother = async () => ![leader, undefined].includes(await leaderOf(tabs[1]!));
    assert(await until(isAnother, SETTLE_MS_MAX), "no other tab has taken it over");
    await settled(2);
    for (const tab of tabs.slice(1)) await live(tab);
    await other.close();
    await settled(1);
  });

  await step("so it is where the worker can't be loaded", async () => {
    const other = await profile();
    await other.route(/\/assets\/worker-/, (route) => route.abort());
    await live(await tabOf(other));
    await settled(2);
    await other.close();
    await settled(1);
  });

  await step("nobody is troubled by a short break, a long one shows, and both are over by themselves", async () => {
    const banner = page.getByText("The connection is gone.");
    await restart(async () => {
      await banner.waitFor();
      await page.getByText("Not live").waitFor();
    });
    await live(page);
    await banner.waitFor({ state: "hidden" });
    await settled(1);
  });

  await step("by Connect's JSON the same", async () => {
    const asked: string[] = [];
    const other = await profile();
    other.on("request", (request) => asked.push(request.headers()["content-type"] ?? ""));
    const tab = await tabOf(other, "/system?wire=json");
    await live(tab);
    assert(asked.some((type) => type === "application/json"), asked.join(", "));
    assert(!asked.some((type) => type.includes("grpc")), asked.join(", "));
    await other.close();
  });
});

async function tabOf(context: BrowserContext, path = "/system"): Promise<Page> {
  const tab = await context.newPage();
  await tab.goto(path);
  return tab;
}

async function live(page: Page): Promise<void> {
  await page.getByText("Live", { exact: true }).waitFor();
}

/** Which tab has the lock, by the browser's name for it. */
function leaderOf(tab: Page): Promise<string | undefined> {
  return tab.evaluate(async () => (await navigator.locks.query()).held?.[0]?.clientId);
}

/** In the page: the worker says once that all is well, and dies. */
function silentAfterHello(): void {
  class SilentWorker {
    readonly port = {
      onmessage: undefined as ((event: { data: unknown }) => void) | undefined,
      postMessage: ({ kind }: { kind: string }) => {
        if (kind === "hello") setTimeout(() => this.port.onmessage?.({ data: { kind: "state", state: "live" } }));
      },
      close: () => {},
    };
  }
  Object.assign(globalThis, { SharedWorker: SilentWorker });
}
