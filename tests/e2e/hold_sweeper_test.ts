/** The server tidies up by itself: a hold that nobody asks for again is written down as expired. */
import { assertEquals } from "@std/assert";
import { callJson } from "../support/clients/json_fetch.ts";
import { ownerOf } from "../support/database.ts";
import { holdViolations } from "../support/holds.ts";
import { serverTest } from "../support/server.ts";
import { eventually } from "../support/eventually.ts";

serverTest(
  "the servers write down which holds have expired, and stop while they do",
  { workers: 2 },
  async (server) => {
    await using owner = ownerOf(server.databaseOwnerUrl);
    await callJson(server.url, "SetInv", JSON.stringify({ goodsId: 1, num: 10 }));
    const request = { orderId: "h", goodsInfo: [{ goodsId: 1, num: 4 }], ttl: "0.001s" };
    await callJson(server.url, "Reserve", JSON.stringify(request));
    await eventually(async () => {
      const [order] = await owner.sql`select state from orders where order_id = 'h'`;
      return order?.state === "expired";
    }, "the hold is written down as expired");
    const [level] = await owner.sql`select reserved, (select count(*)::int from holds) as rows from levels`;
    assertEquals({ ...level }, { reserved: 0, rows: 0 });
    assertEquals(await holdViolations(owner.sql), []);
    assertEquals(await server.stop(), 0);
  },
);
