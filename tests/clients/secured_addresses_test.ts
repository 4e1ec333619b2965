/**
 * Addresses of PostgreSQL as people have them, for a service that speaks TLS and asks who calls: it starts, asks, knows
 * a key that is added to the database behind such an address, and sells; a proxy before it may answer CORS itself.
 */
import { assertEquals } from "@std/assert";
import { addTestKey } from "../support/api_keys.ts";
import { setCallerSetup } from "../support/caller_setup.ts";
import { callJson } from "../support/clients/json_fetch.ts";
import { createTestDatabase, lastingDatabase, ownerOf, type TestDatabase } from "../support/database.ts";
import { startPgBouncer } from "../support/pgbouncer.ts";
import { v1Path } from "../support/raw_call.ts";
import { post, startServer } from "../support/server.ts";
import { startProxy } from "../support/tcp_proxy.ts";
import { startTlsPostgres } from "../support/tls_postgres.ts";
import { WITH_TLS } from "../support/tls_server.ts";
import { eventually } from "../support/eventually.ts";

Deno.test("keys over TLS, and a PgBouncer in transaction mode at [::1]", async () => {
  await using database = await createTestDatabase();
  await using bouncer = await startPgBouncer(database.serverUrl);
  const behind = bouncer.through(database.serverUrl);
  await using proxy = startProxy(Number(new URL(behind).port), {}, "::1");
  await sellsByKey(database, behind.replace(/@[^/]+/, `@[::1]:${proxy.port}`));
});

Deno.test("keys over TLS, and an address of a provider's, that asks for TLS and a bound log-in", async () => {
  await using postgresql = await startTlsPostgres();
  const [ownerUrl, serverUrl] = [postgresql.ownerUrl("shop"), postgresql.serverUrl("shop")];
  const asked = serverUrl.replace(/\?.*$/, "?sslmode=require&channel_binding=require");
  await sellsByKey(lastingDatabase("shop", ownerUrl, serverUrl), asked);
});

async function sellsByKey(database: TestDatabase, address: string): Promise<void> {
  await using server = await startServer({
    ...WITH_TLS,
    database,
    env: { ...WITH_TLS.env, AUTH: "keys", DATABASE_URL: address, CORS: "proxy" },
  });
  const call = (method: "SetInv" | "Sell" | "InvDetail", request: unknown) =>
    callJson(server.url, method, JSON.stringify(request));
  let forget = setCallerSetup({ ca: WITH_TLS.ca });
  try {
    const refused = await call("SetInv", { goodsId: 1, num: 5 });
    assertEquals("code" in refused && refused.code, "UNAUTHENTICATED");
    await using owner = ownerOf(database.ownerUrl);
    const { headers } = await addTestKey(owner.sql, { name: "shop", rights: ["operator"] });
    forget = setCallerSetup({ ca: WITH_TLS.ca, headers });
    await eventually(async () => {
      const result = await call("InvDetail", { goodsId: 1 });
      return "code" in result && result.code === "NOT_FOUND";
    }, "the key is known");
    await call("SetInv", { goodsId: 1, num: 5 });
    await call("Sell", { orderId: "secured", goodsInfo: [{ goodsId: 1, num: 2 }] });
    const [row] = await owner.sql`
      select on_hand, (select actor from movements where order_id = 'secured') as actor from levels where goods_id = 1`;
    assertEquals({ ...row }, { on_hand: 3, actor: "shop" });
    // A page of anywhere, whose proxy has answered for its origin; its key is asked for all the same.
    for (const [known, status] of [[headers, 200], [{}, 401]] as const) {
      const sent = { origin: "https://shop.example", ...known };
      assertEquals((await post(server.url + v1Path("InvDetail"), { goodsId: 1 }, WITH_TLS.ca, sent)).status, status);
    }
  } finally {
    forget();
  }
}
