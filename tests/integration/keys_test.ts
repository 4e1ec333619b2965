/**
 * Keys: added by the command as the owner, read by servers, which ask for them.
 */
import { assertEquals, assertMatch } from "@std/assert";
import { startApp } from "../../src/app.ts";
import { loadConfig } from "../../src/config/config.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { runTask } from "../support/tasks.ts";

const quiet = () => {};
const log = { debug: quiet, info: quiet, warn: quiet, error: quiet };

/** An app that takes keys only. */
async function openApp({ serverUrl }: TestDatabase) {
  const settings = new Map([["PORT", "0"], ["CONCURRENCY", "row"], ["AUTH", "keys"], ["DATABASE_URL", serverUrl]]);
  const app = await startApp(loadConfig((name) => settings.get(name)), { log });
  const call = async (method: string, message: unknown, key?: string) => {
    const headers = { "content-type": "application/json", ...(key ? { authorization: `Bearer ${key}` } : {}) };
    const init = { method: "POST", headers, body: JSON.stringify(message) };
    const response = await fetch(`${app.url}/${method}`, init);
    const body = await response.json();
    return { status: response.status, code: body.code, body, challenge: response.headers.get("www-authenticate") };
  };
  return { app, call, [Symbol.asyncDispose]: () => app.close() };
}

const SERVICE = "inventory.v1.InventoryService";
const ORDER = { goodsInfo: [{ goodsId: 1, num: 1 }] };

Deno.test("a key opens what its rights name, and without one everything is shut", async () => {
  await using database = await createTestDatabase();
  const env = { DATABASE_OWNER_URL: database.ownerUrl };
  const added = await runTask("keys", ["add", "till 7", "--rights", "seller"], env);
  assertEquals(added.code, 0, added.stderr);
  const key = added.stdout.trim();
  assertMatch(key, /^hf_[a-z0-9]{12}_[0-9a-f]{64}$/);
  await using one = await openApp(database);
  const { status, code, challenge } = await one.call(`${SERVICE}/Sell`, ORDER);
  assertEquals([status, code, challenge], [401, "unauthenticated", "Bearer"]);
  assertEquals((await one.call(`${SERVICE}/Sell`, ORDER, key)).code, "not_found");
  const refused = await one.call(`${SERVICE}/SetInv`, { goodsId: 1, num: 1 }, key);
  assertEquals([refused.status, refused.body.message], [403, "the right stocker is missing"]);
});
