/** Every method of every service, every right, every kind of identity: who may call what, and nobody anything else. */
import { assertEquals } from "@std/assert";
import { startApp } from "../../src/app.ts";
import { openServices } from "../../src/service_list.ts";
import { ANYONE, RIGHTS, withContained } from "../../src/auth/rights.ts";
import { VERSION } from "../../src/base/version.ts";
import { RefusalAudit } from "../../src/auth/refusal_audit.ts";
import { loadConfig } from "../../src/config/config.ts";
import { HealthBoard } from "../../src/health/board.ts";
import { rightsOf } from "../../src/services/service_module.ts";
import { ProcessMeasures } from "../../src/telemetry/process_measures.ts";
import { openStock } from "../../src/stock.ts";
import { PART_RIGHTS } from "../../src/services/stock/apply_batch.ts";
import { addTestKey } from "../support/api_keys.ts";
import { startKeyedApp } from "../support/keyed_app.ts";
import { createTestDatabase, ownerOf } from "../support/database.ts";
import { connectGrpc, type GrpcEnd, type GrpcSession } from "../support/grpc_session.ts";
import { TEST_KINDS } from "../support/identity_kinds.ts";
import { SILENT } from "../support/silent_log.ts";

type Headers = Readonly<Record<string, string>>;

const PERMISSION_DENIED = 7;
const UNIMPLEMENTED = 12;
const UNAUTHENTICATED = 16;
const NOWHERE = ["/inventory.v1.InventoryService/Steal", "/nobody.v1.NobodyService/Steal", "/inventory", "/"];

interface Method {
  readonly path: string;
  /** What it asks for. */
  readonly asked: string;
  readonly isStream: boolean;
}

/** All methods. */
async function methods(): Promise<readonly Method[]> {
  const config = loadConfig((name) => name === "CONCURRENCY" ? "row" : undefined);
  const stock = openStock(config, { log: SILENT });
  const measures = new ProcessMeasures(() => 0);
  const modules = openServices(config, stock, {
    board: new HealthBoard([]),
    audit: new RefusalAudit(SILENT),
    measures,
    log: SILENT,
  });
  await stock.close();
  const rightOf = rightsOf(modules);
  return modules.flatMap(({ service }) =>
    service.methods.map((method) => ({
      path: `/${service.typeName}/${method.name}`,
      asked: rightOf(method)!,
      isStream: method.methodKind !== "unary",
    }))
  );
}

/** What comes of a call says of its caller's rights; what else it says is of no interest here. */
async function ruling(session: GrpcSession, { path, isStream }: Method, headers?: Headers): Promise<string> {
  if (!isStream) return rulingOf(await session.call(path, headers));
  const stream = session.open(path, headers);
  stream.endRequests();
  const begun = await stream.begun;
  stream.leave();
  return begun === "answer" ? "may" : rulingOf(begun);
}

function rulingOf({ code, message }: GrpcEnd): string {
  if (code === UNAUTHENTICATED) return "who are you";
  if (code === PERMISSION_DENIED) return message;
  return code === "cut" ? "cut" : "may";
}

Deno.test("a part of a batch asks for what its single call asks for, and lines of calls say who has proven it", async () => {
  const all = new Map((await methods()).map(({ path, asked }) => [path.split("/").at(-1)!.toLowerCase(), asked]));
  const parts = Object.entries(PART_RIGHTS);
  assertEquals(parts.map(([name]) => [name, all.get(name.toLowerCase())]), parts);

  await using database = await createTestDatabase();
  await using owner = ownerOf(database.ownerUrl);
  const stocker = await addTestKey(owner.sql, { name: "stocker", rights: ["stocker"] });
  const both = await addTestKey(owner.sql, { name: "both", rights: ["stocker", "seller"] });
  await using app = await startKeyedApp(database);
  const apply = async (...given: object[]) => {
    const [{ headers }, ...operations] = given as [typeof both, ...object[]];
    const { status, text } = await app.post("inventory.v1.StockService/ApplyBatch", { operations }, headers);
    const { verdicts } = JSON.parse(text) as { verdicts: { error?: { code: number; message: string } }[] };
    return [status, ...verdicts.map(({ error }) => error?.message ?? "done")];
  };
  const set = { setInv: { goodsId: 1, num: 10 } };
  const sell = { sell: { goodsInfo: [{ goodsId: 1, num: 1 }] } };
  const reserve = { reserve: { orderId: "h", goodsInfo: [{ goodsId: 1, num: 1 }] } };
  const missing = "the right seller is missing";
  assertEquals(await apply(stocker, set, sell, reserve), [200, "done", missing, missing]);
  const noted = app.warnings.filter(({ reason }) => reason === "right_missing")
    .map(({ method, who, right, address }) => [method, who, right, address]);
  assertEquals(noted, [["inventory.v1.StockService/ApplyBatch", "stocker", "seller", "127.0.0.1"]]);
  assertEquals(await apply(both, set, sell, reserve), [200, "done", "done", "done"]);
  const { text } = await app.post("inventory.v1.SystemService/WhoAmI", {}, both.headers);
  const who = { name: "both", kind: "keys", rights: ["reader", "seller", "stocker"], version: VERSION };
  assertEquals(JSON.parse(text), who, "WhoAmI");
  // On this machine a header would be believed where nobody proves anything.
  const claim = { "x-holdfast-actor": "both" };
  const status = async (headers: object) =>
    (await app.post("inventory.v1.InventoryService/Sell", {}, { ...claim, ...headers })).status;
  assertEquals([await status({}), await status(stocker.headers)], [401, 403]);
  assertEquals(app.calls.map(({ code, actor }) => [code, actor]).slice(-2), [
    ["UNAUTHENTICATED", undefined],
    ["PERMISSION_DENIED", "stocker"],
  ]);
  const rows = await owner.sql`select kind, actor from movements order by version`;
  const did = (actor: string, ...kinds: string[]) => kinds.map((kind) => ({ kind, actor }));
  assertEquals([...rows], [...did("stocker", "set"), ...did("both", "sell", "reserve")]);
});

for (const { kind, prepare } of TEST_KINDS) {
  Deno.test(`${kind}: every method asks every caller for its right, and for nothing else`, async (t) => {
    await using database = await createTestDatabase();
    const { settings, tls, callers, close } = await prepare(database);
    const given: Record<string, string> = {
      ...{ PORT: "0", CONCURRENCY: "row", DATABASE_URL: database.serverUrl },
      ...settings,
    };
    const all = await methods();
    const app = await startApp(loadConfig((name) => given[name]), { log: SILENT, tls });
    try {
      for (const right of RIGHTS) {
        await t.step(`a ${right}`, async () => {
          const { headers, tls: own } = callers[right];
          await using session = connectGrpc(app.url, { ...own, ...(tls === undefined ? {} : { ca: tls.ca }) });
          const rights = withContained([right]);
          for (const method of all) {
            const { path, asked } = method;
            const may = asked === ANYONE || [...rights].some((each) => each === asked);
            const expected = may ? "may" : `the right ${asked} is missing`;
            assertEquals(await ruling(session, method, headers), expected, `${path} asks for ${asked}`);
          }
          for (const path of NOWHERE) assertEquals((await session.call(path, headers)).code, UNIMPLEMENTED, path);
        });
      }
      await t.step("nobody", async () => {
        await using session = connectGrpc(app.url, tls === undefined ? {} : { ca: tls.ca });
        for (const method of all) {
          const expected = method.asked === ANYONE ? "may" : "who are you";
          assertEquals(await ruling(session, method), expected, method.path);
        }
        for (const path of NOWHERE) assertEquals((await session.call(path)).code, UNAUTHENTICATED, path);
      });
    } finally {
      await app.close();
      await close();
    }
  });
}
