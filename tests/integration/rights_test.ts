/** Every method of every service, every right, every kind of identity: who may call what, and nobody anything else. */
import { assertEquals } from "@std/assert";
import { openServices, startApp } from "../../src/app.ts";
import { ANYONE, RIGHTS, withContained } from "../../src/auth/rights.ts";
import { loadConfig } from "../../src/config/config.ts";
import { HealthBoard } from "../../src/health/board.ts";
import { rightsOf } from "../../src/services/service_module.ts";
import { openStock } from "../../src/stock.ts";
import { createTestDatabase } from "../support/database.ts";
import { connectGrpc, type GrpcEnd, type GrpcSession } from "../support/grpc_session.ts";
import { TEST_KINDS } from "../support/identity_kinds.ts";

type Headers = Readonly<Record<string, string>>;

const quiet = () => {};
const log = { debug: quiet, info: quiet, warn: quiet, error: quiet };
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
  const stock = openStock(config, { log });
  const modules = openServices(config, stock, { board: new HealthBoard([]), log });
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

for (const { kind, prepare } of TEST_KINDS) {
  Deno.test(`${kind}: every method asks every caller for its right, and for nothing else`, async (t) => {
    await using database = await createTestDatabase();
    const { settings, tls, callers, close } = await prepare(database);
    const given: Record<string, string> = {
      ...{ PORT: "0", CONCURRENCY: "row", DATABASE_URL: database.serverUrl },
      ...settings,
    };
    const all = await methods();
    const app = await startApp(loadConfig((name) => given[name]), { log, tls });
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
