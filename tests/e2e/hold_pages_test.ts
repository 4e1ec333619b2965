/** Pages of the list of holds, as a caller sees them: tokens, filters, and holds that come and go meanwhile. */
import { assertEquals } from "@std/assert";
import type { Json, Method } from "../support/clients/client.ts";
import { callJson } from "../support/clients/json_fetch.ts";
import { serverTest } from "../support/server.ts";

serverTest(
  "a list of holds is paged by the end of their time, and no token serves another list",
  {},
  async (server) => {
    const call = async (method: Method, request: Json) => {
      const result = await callJson(server.url, method, JSON.stringify(request));
      return "answer" in result ? result.answer : result.code;
    };
    await call("SetInv", { goodsId: 1, num: 100 });
    await call("SetInv", { goodsId: 1, locationId: 7, num: 100 });
    const reserve = (id: string, seconds: number, locationId = 0, buyerId = "") =>
      call("Reserve", {
        orderId: id,
        goodsInfo: [{ goodsId: 1, num: 1, locationId }],
        ttl: `${seconds}s`,
        buyerId,
      });
    // Far enough apart that a machine that stalls between two of them does not change their sequence.
    for (const n of [5, 3, 1, 7, 9]) await reserve(`h${n}`, 1000 + 100 * n, 0, n % 3 === 0 ? "ann" : "bob");
    await reserve("elsewhere", 1400, 7, "ann");

    const page = async (filter: Json, pageToken = "") => {
      const answer = await call("ListHolds", { ...filter, pageToken });
      if (typeof answer === "string") return { ids: answer, next: "" };
      const holds = answer.holds as { orderId: string }[] | undefined;
      return { ids: (holds ?? []).map(({ orderId }) => orderId).join(" "), next: String(answer.nextPageToken ?? "") };
    };
    const ofGoods = { goodsId: 1, pageSize: 2 };
    const first = await page(ofGoods);
    assertEquals(first.ids, "h1 h3");
    // One that ends and one that comes, before and behind, while pages are read.
    await call("ReleaseHold", { orderId: "h7" });
    await reserve("h0", 500);
    await reserve("h8", 1800);
    const second = await page(ofGoods, first.next);
    assertEquals(second.ids, "h5 h8");
    const third = await page(ofGoods, second.next);
    assertEquals(third, { ids: "h9", next: "" });

    assertEquals((await page({ pageSize: 100 })).ids, "h0 h1 h3 elsewhere h5 h8 h9");
    assertEquals((await page({ goodsId: 1, locationId: 7 })).ids, "elsewhere");
    assertEquals((await page({ buyerId: "ann" })).ids, "h3 elsewhere h9");
    assertEquals((await page({ buyerId: "ann", goodsId: 1 })).ids, "h3 h9");
    const soon = new Date(Date.now() + 900_000).toISOString();
    assertEquals((await page({ expiresBefore: soon })).ids, "h0");
    assertEquals((await page({ expiresFrom: soon, buyerId: "ann" })).ids, "h3 elsewhere h9");

    assertEquals((await page({ goodsId: 1, locationId: 7, pageSize: 2 }, first.next)).ids, "INVALID_ARGUMENT");
    assertEquals((await page({ pageSize: 2 }, first.next)).ids, "INVALID_ARGUMENT");
    assertEquals((await page({ goodsId: 1, pageSize: 5 }, first.next)).ids, "h5 h8 h9");
  },
);
