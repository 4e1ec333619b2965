/**
 * The list of services of a server: what each says of itself, that one beside its own is served, and that one which
 * says less keeps it from starting.
 */
import type { DescMethod } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { startApp } from "../../src/app.ts";
import { openServices } from "../../src/service_list.ts";
import { openStock } from "../../src/stock.ts";
import { VERSION } from "../../src/base/version.ts";
import { ProcessMeasures } from "../../src/telemetry/process_measures.ts";
import { RefusalAudit } from "../../src/auth/refusal_audit.ts";
import { loadConfig } from "../../src/config/config.ts";
import { BenchService } from "../../bench/gen/bench/v1/bench_pb.ts";
import { Health } from "../../src/gen/health/v1/health_pb.ts";
import { HealthBoard } from "../../src/health/board.ts";
import {
  boundsOf,
  describedBy,
  namesOf,
  type ServiceModule,
  serviceModule,
} from "../../src/services/service_module.ts";
import { SILENT } from "../support/silent_log.ts";

const settings = new Map([["PORT", "0"], ["CONCURRENCY", "row"], ["ADMIN_PORT", "off"]]);
const config = loadConfig((name) => settings.get(name));
const NAME = BenchService.typeName;

const MODULE = serviceModule({
  service: BenchService,
  handlers: { noop: () => ({}) },
  methods: { noop: { right: "reader", bounds: { bytesMax: 4096, counts: [] } } },
  drainExempt: false,
  healthListed: true,
  reflected: "hidden",
});

const INVENTORY = "inventory.v1.InventoryService";
const GOODS = "inventory.v1.GoodsService";
const HOLDS = "inventory.v1.HoldService";
const QUERY = "inventory.v1.QueryService";
const STOCK = "inventory.v1.StockService";
const LOCK = "inventory.v1.LockService";
const SYSTEM = "inventory.v1.SystemService";
const WATCH = "inventory.v1.WatchService";
const HEALTH = "grpc.health.v1.Health";
const REFLECTION = ["v1", "v1alpha"].map((version) => `grpc.reflection.${version}.ServerReflection`);

async function withServices(run: (modules: readonly ServiceModule[], board: HealthBoard) => void): Promise<void> {
  const stock = openStock(config, { log: SILENT });
  const board = new HealthBoard([]);
  try {
    const measures = new ProcessMeasures(() => 0);
    run(openServices(config, stock, { board, audit: new RefusalAudit(SILENT), measures, log: SILENT }), board);
  } finally {
    await stock.close();
  }
}

Deno.test("the program's services: by what is each found, which does health name, and which outlast the start of a drain", async () => {
  await withServices((modules, board) => {
    assertEquals(
      namesOf(modules, () => true).sort(),
      [...REFLECTION, HEALTH, INVENTORY, GOODS, HOLDS, QUERY, STOCK, LOCK, SYSTEM, WATCH, "inventory"].sort(),
    );
    assertEquals([...board.statuses.keys()].sort(), ["", "inventory", GOODS, HOLDS, INVENTORY, QUERY, STOCK, WATCH]);
    assertEquals(namesOf(modules, ({ drainExempt }) => drainExempt).sort(), [HEALTH, LOCK, SYSTEM]);
    const { listed, byName } = describedBy(modules);
    assertEquals(
      listed.map(({ typeName }) => typeName).sort(),
      [...REFLECTION, HEALTH, INVENTORY, GOODS, HOLDS, QUERY, STOCK, LOCK, SYSTEM, WATCH].sort(),
    );
    assertEquals(byName.map(({ typeName }) => typeName), ["inventory"]);
  });
});

Deno.test("the program's services: what a caller of each method must be allowed", async () => {
  await withServices((modules) => {
    const rights = Object.fromEntries(
      modules.flatMap(({ service, methods }) =>
        service.methods.map(({ name, localName }) => [`${service.typeName}/${name}`, methods[localName]?.right])
      ),
    );
    assertEquals(rights, {
      [`${INVENTORY}/SetInv`]: "stocker",
      [`${INVENTORY}/InvDetail`]: "reader",
      [`${INVENTORY}/Sell`]: "seller",
      [`${INVENTORY}/Rollback`]: "seller",
      [`${INVENTORY}/SellBatch`]: "seller",
      [`${INVENTORY}/RollbackBatch`]: "seller",
      [`${INVENTORY}/BatchInvDetail`]: "reader",
      "inventory/SetInv": "stocker",
      "inventory/InvDetail": "reader",
      "inventory/Sell": "seller",
      "inventory/Rollback": "seller",
      [`${GOODS}/RegisterGoods`]: "stocker",
      [`${GOODS}/GetGoods`]: "reader",
      [`${GOODS}/ListReasons`]: "reader",
      [`${GOODS}/AddReason`]: "stocker",
      [`${HOLDS}/Reserve`]: "seller",
      [`${HOLDS}/ExtendHold`]: "seller",
      [`${HOLDS}/ConfirmHold`]: "seller",
      [`${HOLDS}/ReleaseHold`]: "seller",
      [`${HOLDS}/GetOrder`]: "reader",
      [`${HOLDS}/ListHolds`]: "reader",
      [`${HOLDS}/ListShortfalls`]: "reader",
      [`${HOLDS}/ResolveShortfall`]: "stocker",
      [`${STOCK}/AdjustInv`]: "stocker",
      [`${STOCK}/ApplyBatch`]: "stocker",
      [`${STOCK}/CountInv`]: "stocker",
      [`${STOCK}/DeleteInv`]: "stocker",
      [`${STOCK}/GetPolicy`]: "reader",
      [`${STOCK}/RestoreInv`]: "stocker",
      [`${STOCK}/SetPolicy`]: "stocker",
      [`${STOCK}/TransferInv`]: "stocker",
      [`${QUERY}/ListInv`]: "reader",
      [`${QUERY}/ListMovements`]: "reader",
      [`${QUERY}/ListOrders`]: "reader",
      [`${QUERY}/ExplainInv`]: "reader",
      [`${QUERY}/GetStats`]: "reader",
      [`${LOCK}/Status`]: "operator",
      [`${WATCH}/WatchInv`]: "reader",
      [`${WATCH}/WatchMovements`]: "reader",
      [`${SYSTEM}/WhoAmI`]: "reader",
      [`${SYSTEM}/GetSystem`]: "operator",
      [`${HEALTH}/Check`]: "anyone",
      [`${HEALTH}/List`]: "anyone",
      [`${HEALTH}/Watch`]: "anyone",
      ...Object.fromEntries(REFLECTION.map((name) => [`${name}/ServerReflectionInfo`, "operator"])),
    });
  });
});

Deno.test("the program's services: what a reader may call has no side effects, and what writes is never said to have none", async () => {
  await withServices((modules) => {
    for (const { service, methods } of modules.filter(({ service }) => service.typeName.startsWith("inventory.v1."))) {
      // A stream has no form for GET, and nothing that may be repeated by a proxy.
      for (const { name, localName, idempotency, methodKind } of service.methods) {
        if (methodKind === "server_streaming") continue;
        const isFree = idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS;
        const { right } = methods[localName]!;
        if (right !== "operator") assertEquals(isFree, right === "reader", `${service.typeName}/${name}`);
      }
    }
  });
});

Deno.test("the program's services: every method of each has bounds of its own", async () => {
  await withServices((modules) => {
    const bounds = boundsOf(modules);
    for (const { service } of modules) {
      for (const method of service.methods) assert(bounds(method) !== undefined, String(method));
    }
    assertEquals(boundsOf([])(Health.method.check as DescMethod), undefined);
  });
});

Deno.test("a server starts with a service beside its own, whose calls it takes and whose health it names", async () => {
  const app = await startApp(config, { log: SILENT, services: [MODULE] });
  try {
    const call = async (path: string, body: unknown) => {
      const init = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
      const response = await fetch(`${app.url}/${path}`, init);
      return await response.json();
    };
    assertEquals(await call(`${NAME}/Noop`, {}), {});
    const who = { name: "", kind: "", rights: ["reader", "seller", "stocker", "operator"], version: VERSION };
    assertEquals(await call(`${SYSTEM}/WhoAmI`, {}), who, "nobody is asked who it is");
    // Nothing is shown at an admin port here.
    const { calls, operations } = await call(`${SYSTEM}/GetSystem`, {}) as {
      calls: { method: string; code: string; count: string }[];
      operations: unknown[];
    };
    assertEquals(calls.map(({ method, code, count }) => [method, code, count]), [
      [`${NAME}/Noop`, "OK", "1"],
      [`${SYSTEM}/WhoAmI`, "OK", "1"],
    ]);
    assertEquals(operations, []);
    const { status } = await call("grpc.health.v1.Health/Check", { service: NAME });
    assertEquals(typeof status, "string");
  } finally {
    await app.close();
  }
});

const LACKING: Readonly<Record<string, readonly [unknown, string]>> = {
  "a field": [{ ...MODULE, drainExempt: undefined }, `${NAME}: no drainExempt`],
  "a method's right": [
    { ...MODULE, methods: { noop: { bounds: MODULE.methods["noop"]?.bounds } } },
    `${NAME}/Noop: no right`,
  ],
  "a method's bounds": [{ ...MODULE, methods: { noop: { right: "reader" } } }, `${NAME}/Noop: no bounds`],
};

for (const [what, [module, named]] of Object.entries(LACKING)) {
  Deno.test(`a server does not start with a module that lacks ${what}, and says of which service it is`, async () => {
    await assertRejects(() => startApp(config, { log: SILENT, services: [module as ServiceModule] }), Error, named);
  });
}
