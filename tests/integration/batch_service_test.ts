/**
 * Batches on a service whose lock or store is at fault, on a real database: each order has the error of the single
 * call, under the id that the server made for it, and nothing of a fault's cause is shown.
 */
import { Code, createClient, type Transport } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";
import { type MessageInitShape, toJson } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { assert, assertEquals } from "@std/assert";
import { type AppParts, startApp } from "../../src/app.ts";
import { loadConfig } from "../../src/config/config.ts";
import { ErrorInfoSchema, RetryInfoSchema } from "../../src/gen/google/rpc/error_details_pb.ts";
import type { Status } from "../../src/gen/google/rpc/status_pb.ts";
import {
  InventoryService,
  type RollbackRequestSchema,
  RollbackVerdictSchema,
  type SellRequestSchema,
  SellVerdictSchema,
} from "../../src/gen/inventory/v1/inventory_pb.ts";
import { QuorumLostError } from "../../src/lock/lock.ts";
import type { Store } from "../../src/store/store.ts";
import type { Log } from "../../src/telemetry/log.ts";
import { registry } from "../support/clients/client.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { storeOn } from "../support/store_bench.ts";
import { grantAllLock } from "../support/unguarded.ts";
import { SILENT } from "../support/silent_log.ts";

const UUID = /^[0-9a-f-]{36}$/;
const order = (goodsId: number, num: number, orderId = "") => ({
  orderId,
  goodsInfo: [{ goodsId, locationId: 0, num }],
});

Deno.test("orders that no quorum lets through are UNAVAILABLE under the ids to repeat them under", async () => {
  await using database = await createTestDatabase();
  await stocked(database);
  const lost = () => Promise.reject(new QuorumLostError("two nodes of five answer"));
  const ids: string[] = [];
  await run(database, { lock: { ...grantAllLock(), acquire: lost } }, async (client) => {
    const { verdicts } = await client.sellBatch({ orders: [order(1, 3), order(1, 4), order(0, 1)] });
    for (const { outcome } of verdicts.slice(0, 2)) {
      assert(outcome.case === "error");
      const [info, retry] = outcome.value.details;
      assertEquals(outcome.value.code, Code.Unavailable);
      assertEquals(anyUnpack(info!, ErrorInfoSchema)?.reason, "NO_LOCK_QUORUM");
      assertEquals(anyUnpack(retry!, RetryInfoSchema)?.retryDelay?.nanos, 100_000_000);
      ids.push(idIn(outcome.value, "order_id"));
    }
    assertEquals((verdicts[2]!.outcome.value as Status).code, Code.InvalidArgument);
    const lines = await client.rollbackBatch({ rollbacks: [order(1, 5)] });
    assert(lines.verdicts[0]?.outcome.case === "error");
    ids.push(idIn(lines.verdicts[0].outcome.value, "rollback_id"));
    assertEquals((await client.invDetail({ goodsId: 1 })).num, 10);
  });
  assertEquals([ids.length, new Set(ids).size], [3, 3]);
  for (const id of ids) assert(UUID.test(id), id);
  await run(database, { lock: grantAllLock() }, async (client) => {
    const [first, second] = ids;
    const { verdicts } = await client.sellBatch({ orders: [order(1, 3, first), order(1, 4, second)] });
    assertEquals(verdicts.map(({ outcome }) => outcome.case), ["sold", "sold"]);
    assertEquals((await client.invDetail({ goodsId: 1 })).num, 3);
  });
});

Deno.test("a fault in a batch is that order's INTERNAL, and the log has its cause under the request's id", async () => {
  await using database = await createTestDatabase();
  await stocked(database);
  const store = storeOn(database, { max: 4, log: SILENT });
  const bug = new TypeError("password=hunter2");
  const faulty: Store = {
    ...store,
    readSnapshot: (keys, signal) => keys.stockKeys.includes(2) ? Promise.reject(bug) : store.readSnapshot(keys, signal),
    readLevels: () => Promise.reject(new TypeError("password=hunter3")),
  };
  const lines = await run(database, { lock: grantAllLock(), store: faulty }, async (client) => {
    const headers = { "x-request-id": "abc" };
    const { verdicts } = await client.sellBatch({ orders: [order(2, 1, "a"), order(1, 1, "b"), order(2, 1, "c")] }, {
      headers,
    });
    const [fault, sold, again] = verdicts.map(({ outcome }) => outcome);
    assert(fault?.case === "error");
    assertEquals([fault.value.code, fault.value.message], [Code.Internal, "internal error"]);
    assertEquals([fault.value.details, sold?.case], [[], "sold"]);
    assertEquals(again, fault);
    const details = await client.batchInvDetail({ goodsIds: [2, 1, 2] }, { headers });
    assertEquals(details.verdicts.map(({ outcome }) => outcome.case), ["error", "error", "error"]);
    assertEquals((details.verdicts[0]!.outcome.value as Status).code, Code.Internal);
  });
  const faults = lines.filter(({ level }) => level === "error").map(({ fields }) => fields);
  assertEquals(faults.map(({ requestId, method }) => [requestId, method]), [
    ["abc", "inventory.v1.InventoryService/SellBatch"],
    ["abc", "inventory.v1.InventoryService/BatchInvDetail"],
  ]);
  const causes = faults.map(({ error }) => (error as Error).message);
  assertEquals(causes, ["password=hunter2", "password=hunter3"]);
});

Deno.test("a large batch, which is read order by order, is answered as small ones are, over every protocol", async () => {
  await using database = await createTestDatabase();
  await stocked(database);
  await run(database, { lock: grantAllLock() }, async (client, url) => {
    const lines = Array.from({ length: 400 }, () => ({ goodsId: 2, locationId: 0, num: 0 }));
    const orders = Array.from({ length: 60 }, (_, i) => [
      order(1, 1, `sold-${i}`),
      order(3, 1, `unknown-${i}`),
      order(2, 1_000, `short-${i}`),
      { orderId: "no id", goodsInfo: lines },
      { orderId: `long-${"x".repeat(50)}`, goodsInfo: [...lines, ...lines] },
    ]).flat();
    const rollbacks = Array.from({ length: 60 }, (_, i) => [
      { ...order(1, 1, `sold-${i}`), rollbackId: `back-${i}` },
      { ...order(2, 1), rollbackId: `lines-${i}` },
      { goodsInfo: lines },
    ]).flat();
    assert((await client.setInv({ goodsId: 1, locationId: 0, num: 100 })).num === 100);
    const small = createConnectTransport({ baseUrl: url, useBinaryFormat: true });
    const sell = async (transport: Transport, orders: MessageInitShape<typeof SellRequestSchema>[]) =>
      (await createClient(InventoryService, transport).sellBatch({ orders })).verdicts.map((verdict) =>
        toJson(SellVerdictSchema, verdict, { registry })
      );
    const rollback = async (transport: Transport, rollbacks: MessageInitShape<typeof RollbackRequestSchema>[]) =>
      (await createClient(InventoryService, transport).rollbackBatch({ rollbacks })).verdicts.map((verdict) =>
        toJson(RollbackVerdictSchema, verdict, { registry })
      );
    // Applied by the first of them, and answered by the others from the record.
    const transports = {
      gRPC: createGrpcTransport({ baseUrl: url }),
      "gRPC-web": createGrpcWebTransport({ baseUrl: url }),
      Connect: small,
      "Connect, JSON": createConnectTransport({ baseUrl: url, jsonOptions: { registry } }),
    };
    for (const [parts, send] of [[orders, sell], [rollbacks, rollback]] as const) {
      const answers = new Map<string, readonly unknown[]>();
      for (const [name, transport] of Object.entries(transports)) answers.set(name, await send(transport, parts));
      for (const [i, part] of parts.entries()) {
        const [expected] = await send(small, [part]);
        for (const [name, verdicts] of answers) {
          assertEquals(withoutReplayed(verdicts[i]), withoutReplayed(expected), `${name}, part ${i}`);
        }
      }
    }
    assertEquals((await client.invDetail({ goodsId: 1 })).num, 100);
  });
});

function idIn({ details }: Status, field: string): string {
  return anyUnpack(details[0]!, ErrorInfoSchema)!.metadata[field]!;
}

interface Line {
  readonly level: string;
  readonly fields: Record<string, unknown>;
}

/** Starts the app with these parts, calls it, and answers what it logged. */
async function run(
  database: TestDatabase,
  parts: Omit<AppParts, "log">,
  calls: (client: ReturnType<typeof clientOf>, url: string) => Promise<void>,
): Promise<Line[]> {
  const lines: Line[] = [];
  const at = (level: string) => (fields: Record<string, unknown>) => void lines.push({ level, fields });
  const log: Log = { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
  const settings = new Map([["PORT", "0"], ["DATABASE_URL", database.serverUrl]]);
  const app = await startApp(loadConfig((name) => settings.get(name)), { ...parts, log });
  try {
    await calls(clientOf(app.url), app.url);
  } finally {
    await app.close();
  }
  return lines;
}

function clientOf(baseUrl: string) {
  return createClient(InventoryService, createConnectTransport({ baseUrl, useBinaryFormat: true }));
}

async function stocked(database: TestDatabase): Promise<void> {
  await run(database, { lock: grantAllLock() }, async (client) => {
    for (const goodsId of [1, 2]) await client.setInv({ goodsId, locationId: 0, num: 10 });
  });
}

/** The first call is answered as its repetitions are, but for this. */
function withoutReplayed(verdict: unknown): unknown {
  return JSON.parse(JSON.stringify(verdict, (name, value) => name === "replayed" ? undefined : value));
}
