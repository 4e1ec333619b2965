/** What the page sends again by itself, and what it leaves to its reader. */
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient, createRouterTransport } from "@connectrpc/connect";
import { assertEquals, assertRejects } from "@std/assert";
import { retrying } from "../../src/console/link/retries.ts";
import { ErrorInfoSchema, RetryInfoSchema } from "../../src/gen/google/rpc/error_details_pb.ts";
import { InventoryService } from "../../src/gen/inventory/v1/inventory_pb.ts";

/** A server that refuses `times` sales, each with these details, and the ids of the orders that it was sent. */
function shop(times: number, error: () => ConnectError) {
  const ids: string[] = [];
  const transport = createRouterTransport(({ service }) => {
    service(InventoryService, {
      sell({ orderId }) {
        ids.push(orderId);
        if (ids.length <= times) throw error();
        return { orderId };
      },
    });
  }, { transport: { interceptors: [retrying(() => 0)] } });
  return { ids, sell: () => createClient(InventoryService, transport).sell({ orderId: "A-1" }) };
}

const retry = (ms: number) => ({
  desc: RetryInfoSchema,
  value: create(RetryInfoSchema, { retryDelay: { seconds: 0n, nanos: ms * 1e6 } }),
});
const refused = (details: ConstructorParameters<typeof ConnectError>[3]) => () =>
  new ConnectError("busy", Code.Unavailable, undefined, details);

Deno.test("what was not done and may be sent again is, under its id, a bounded number of times", async () => {
  const healed = shop(2, refused([retry(1)]));
  assertEquals((await healed.sell()).orderId, "A-1");
  assertEquals(healed.ids, ["A-1", "A-1", "A-1"]);
  const never = shop(100, refused([retry(1)]));
  await assertRejects(() => never.sell(), ConnectError, "busy");
  assertEquals(never.ids.length, 4);
});

Deno.test("what may have been done, has no delay, or a long one, is left to its reader", async () => {
  const unknown = {
    desc: ErrorInfoSchema,
    value: create(ErrorInfoSchema, { reason: "OUTCOME_UNKNOWN", domain: "holdfast" }),
  };
  const long = { desc: RetryInfoSchema, value: create(RetryInfoSchema, { retryDelay: { seconds: 60n } }) };
  for (const details of [[retry(1), unknown], [], [long]]) {
    const { ids, sell } = shop(100, refused(details));
    await assertRejects(sell, ConnectError, "busy");
    assertEquals(ids.length, 1);
  }
});
