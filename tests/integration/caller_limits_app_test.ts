/** Limits of callers who prove who they are, by the settings: what is refused is not written, and may come again. */
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { assert, assertEquals } from "@std/assert";
import postgres from "postgres";
import { startApp } from "../../src/app.ts";
import { loadConfig } from "../../src/config/config.ts";
import { ErrorInfoSchema } from "../../src/gen/google/rpc/error_details_pb.ts";
import { Health } from "../../src/gen/health/v1/health_pb.ts";
import { InventoryService } from "../../src/gen/inventory/v1/inventory_pb.ts";
import { addTestKey } from "../support/api_keys.ts";
import { createTestDatabase } from "../support/database.ts";
import { checkLedger } from "../support/ledger_check.ts";
import { eventually } from "../support/eventually.ts";
import { SILENT } from "../support/silent_log.ts";

const RATE_MAX = 5;
const CALLS = 40;

Deno.test("calls of one key beyond its rate are refused and write nothing; another key and health go on", async () => {
  await using database = await createTestDatabase();
  const owner = postgres(database.ownerUrl, { max: 1 });
  const [greedy, other] = [
    await addTestKey(owner, { name: "greedy", rights: ["seller", "stocker"] }),
    await addTestKey(owner, { name: "other", rights: ["seller"] }),
  ];
  await owner.end();
  const settings = new Map([
    ["PORT", "0"],
    ["CONCURRENCY", "row"],
    ["AUTH", "keys"],
    ["DATABASE_URL", database.serverUrl],
    ["IDENTITY_CALLS_PER_S_MAX", String(RATE_MAX)],
    ["IDENTITY_BURST_CALLS_MAX", "0"],
  ]);
  const app = await startApp(loadConfig((name) => settings.get(name)), { log: SILENT });
  try {
    const transport = createGrpcTransport({ baseUrl: app.url });
    const client = createClient(InventoryService, transport);
    // The table of keys is read before anybody is let in.
    const isSet = () => client.setInv({ goodsId: 1, num: 100 }, greedy).then(() => true, () => false);
    await eventually(isSet, "the keys are known");
    const sellBy = (key: typeof greedy, name: string) => (i: number) =>
      client.sell({ orderId: `${name}-${i}`, goodsInfo: [{ goodsId: 1, num: 1 }] }, key)
        .then(() => "sold", (error: ConnectError) => {
          assertEquals(error.code, Code.ResourceExhausted);
          return error.findDetails(ErrorInfoSchema)[0]?.reason;
        });
    const ids = Array.from({ length: CALLS }, (_, i) => i);
    const ends = await Promise.all(ids.map(sellBy(greedy, "greedy")));
    const refused = ids.filter((i) => ends[i] === "CALLER_RATE");
    const sold = ids.filter((i) => ends[i] === "sold");
    assertEquals(refused.length + sold.length, CALLS);
    assert(refused.length > 0 && sold.length > 0, ends.join());
    assertEquals(await Promise.all([0, 1, 2].map(sellBy(other, "other"))), ["sold", "sold", "sold"]);
    await createClient(Health, transport).check({});
    assertEquals((await client.invDetail({ goodsId: 1 }, other)).num, 100 - sold.length - 3);
    // The same order again, once there may be one.
    let again: string | undefined;
    while (again !== "sold") again = await sellBy(greedy, "greedy")(refused[0]!);
    const { refused: counts } = app.served.limits();
    assert(counts.rate >= refused.length && counts.calls === 0, JSON.stringify(counts));
    assertEquals(await checkLedger(database.ownerUrl), []);
  } finally {
    await app.close();
  }
});
