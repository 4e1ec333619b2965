/** A key that is taken no more: what waits for the next one, what does not, and what ends. */
import { Code, ConnectError, createClient, createRouterTransport, type Transport } from "@connectrpc/connect";
import { assertEquals, assertRejects } from "@std/assert";
import { KeyedTransport } from "../../src/console/link/keyed_transport.ts";
import { InventoryService } from "../../src/gen/inventory/v1/inventory_pb.ts";
import { SystemService } from "../../src/gen/inventory/v1/system_pb.ts";

/** Calls by a key that the server takes, or does not, and how often it was asked to. */
function shop() {
  const seen = { refused: 0, sold: 0, read: 0 };
  const keyed = new KeyedTransport(() => seen.refused++);
  const byKey = (isTaken: () => boolean | Promise<boolean>): Transport =>
    createRouterTransport(({ service }) => {
      const look = async () => {
        if (!await isTaken()) throw new ConnectError("who is that", Code.Unauthenticated);
      };
      service(InventoryService, {
        async sell({ orderId }) {
          seen.sold++;
          await look();
          return { orderId };
        },
      });
      service(SystemService, {
        async whoAmI() {
          seen.read++;
          await look();
          return { name: "till 7" };
        },
      });
    });
  const [inventory, system] = [createClient(InventoryService, keyed), createClient(SystemService, keyed)];
  return {
    ...{ seen, keyed, byKey },
    sell: () => inventory.sell({ orderId: "A-1" }),
    read: async (signal?: AbortSignal) => (await system.whoAmI({}, signal === undefined ? {} : { signal })).name,
  };
}

Deno.test("what only reads is sent by the next key, and what changes stock is left to its reader", async () => {
  const { seen, keyed, byKey, sell, read } = shop();
  keyed.use(byKey(() => false));
  const reading = read();
  await assertRejects(sell, ConnectError, "who is that");
  assertEquals(seen, { refused: 1, sold: 1, read: 1 });
  const later = read();
  await assertRejects(sell, ConnectError, "the server takes the key no more");
  assertEquals(seen, { refused: 1, sold: 1, read: 1 });
  keyed.use(byKey(() => true));
  assertEquals(await Promise.all([reading, later]), ["till 7", "till 7"]);
  assertEquals((await sell()).orderId, "A-1");
  assertEquals(seen, { refused: 1, sold: 2, read: 3 });
});

Deno.test("what was sent by the key before and is refused late says nothing of the one that there is", async () => {
  const { seen, keyed, byKey, sell, read } = shop();
  const late = Promise.withResolvers<boolean>();
  keyed.use(byKey(() => late.promise));
  const [selling, reading] = [sell(), read()];
  keyed.hold();
  keyed.use(byKey(() => true));
  late.resolve(false);
  await assertRejects(() => selling, ConnectError, "who is that");
  assertEquals(await reading, "till 7");
  assertEquals(seen.refused, 0);
});

Deno.test("what waits ends with its own signal, and all with the link", async () => {
  const { keyed, read } = shop();
  const leaving = new AbortController();
  const [left, waiting] = [read(leaving.signal), read()];
  leaving.abort();
  await assertRejects(() => left, ConnectError);
  keyed.close();
  await assertRejects(() => waiting, ConnectError, "the link is closed");
  await assertRejects(() => read(), ConnectError, "the link is closed");
});

Deno.test("what is under way when it is closed ends, and its answer is for nobody", async () => {
  const { seen, keyed, byKey, sell, read } = shop();
  const answered = Promise.withResolvers<boolean>();
  keyed.use(byKey(() => answered.promise));
  const calls = [assertRejects(sell, ConnectError), assertRejects(() => read(), ConnectError)];
  while (seen.sold + seen.read < 2) await new Promise((resolve) => setTimeout(resolve, 1));
  keyed.close();
  answered.resolve(true);
  assertEquals((await Promise.all(calls)).map(({ code }) => code), [Code.Canceled, Code.Canceled]);
  assertEquals(seen.refused, 0);
});
