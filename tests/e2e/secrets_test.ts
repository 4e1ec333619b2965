/**
 * Nothing secret leaves the program: not the passwords of its settings, in no log line at any level and in no answer,
 * and nothing of the inside of a fault.
 */
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import postgres from "postgres";
import type { Method } from "../support/clients/client.ts";
import { createTestDatabase } from "../support/database.ts";
import { testEnvironment } from "../support/env.ts";
import { articleClient, grpcJsClient } from "../support/clients/grpc_js.ts";
import { callJson } from "../support/clients/json_fetch.ts";
import { v1Path } from "../support/raw_call.ts";
import { askedAt } from "../support/scrape.ts";
import { serverTest, startServer } from "../support/server.ts";
import { eventually } from "../support/eventually.ts";

const DATABASE_PASSWORD = "planted-db/7#";
const REDIS_PASSWORD = "planted-redis/8#";
const PLANTED = [DATABASE_PASSWORD, REDIS_PASSWORD].flatMap((secret) => [secret, encodeURIComponent(secret)]);

const CALLS: readonly (readonly [Method, Record<string, unknown>])[] = [
  ["SetInv", { goodsId: 1, num: 1 }],
  ["InvDetail", { goodsId: 1 }],
  ["Sell", { goodsInfo: [{ goodsId: 1, num: 1 }] }],
  ["Rollback", { orderId: "1" }],
];

Deno.test("passwords that are refused appear nowhere, and calls end UNAVAILABLE", async () => {
  await using database = await createTestDatabase();
  await using server = await startServer({
    database,
    healthy: false,
    env: {
      DATABASE_URL: withPassword(database.serverUrl, "holdfast_server", DATABASE_PASSWORD),
      REDIS_URLS: testEnvironment().redisUrls.map((url) => withPassword(url, "planted", REDIS_PASSWORD)).join(","),
      LOG_LEVEL: "debug",
      LOCK_WAIT_MS_MAX: "500",
    },
  });
  await using grpc = grpcJsClient(server.url);
  await using article = articleClient(server.url);
  const answers: string[] = [];
  for (const [method, request] of CALLS) {
    for (
      const call of [
        grpc.call,
        article.call,
        (name: Method, body: unknown) => callJson(server.url, name, JSON.stringify(body)),
      ]
    ) {
      const result = await call(method, request);
      assertEquals("code" in result && result.code, "UNAVAILABLE", `${method}: ${JSON.stringify(result)}`);
      answers.push(JSON.stringify(result));
    }
    const response = await fetch(server.url + v1Path(method), {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(request),
    });
    answers.push(await response.text(), JSON.stringify([...response.headers]));
  }
  await eventually(() => {
    const { stderr } = server.output;
    return stderr.includes(`"dependency":"PostgreSQL"`) && stderr.includes(`"dependency":"Redis quorum"`);
  }, "both are said to be away");
  const [status, reasons] = await askedAt(`${server.adminUrl}/readyz`);
  assertEquals(status, 503, reasons);
  for (const away of ["PostgreSQL", "Redis quorum"]) {
    assert(new RegExp(`^${away}: (?!ready$).+`, "m").test(reasons), reasons);
  }
  answers.push(reasons);
  for (const page of ["metrics", "metrics.json"]) answers.push((await askedAt(`${server.adminUrl}/${page}`))[1]);
  assertEquals(await server.stop(), 0);
  for (const secret of PLANTED) {
    for (const answer of answers) assert(!answer.includes(secret), answer);
    assert(!server.output.stderr.includes(secret), server.output.stderr);
    assert(!server.output.stdout.includes(secret));
  }
});

serverTest("a fault of the service is answered by its request id and nothing else", {
  env: { LOG_LEVEL: "debug" },
}, async (server) => {
  await using grpc = grpcJsClient(server.url);
  await grpc.call("SetInv", { goodsId: 1, num: 1 });
  const owner = postgres(server.databaseOwnerUrl, { max: 1 });
  await owner`revoke insert on movements from holdfast_server`;
  const response = await fetch(server.url + v1Path("Sell"), {
    method: "POST",
    headers: { "content-type": "application/json", "x-request-id": "find-me" },
    body: JSON.stringify({ goodsInfo: [{ goodsId: 1, num: 1 }] }),
  });
  assertEquals(response.status, 500);
  assertEquals(await response.json(), { code: "internal", message: "internal error" });
  assertEquals(response.headers.get("x-request-id"), "find-me");
  assertEquals(await grpc.call("Sell", { goodsInfo: [{ goodsId: 1, num: 1 }] }), { code: "INTERNAL", details: [] });
  await eventually(() => causeInLog(server.output.stderr, "find-me"), "the log has the cause under the id");

  await owner`grant insert on movements to holdfast_server`;
  assertEquals("answer" in await grpc.call("Sell", { goodsInfo: [{ goodsId: 1, num: 1 }] }), true);
  await owner.end();
  const { password } = new URL(testEnvironment().databaseServerUrl);
  assertNotEquals(password, "");
  assert(!server.output.stderr.includes(password));
});

function causeInLog(log: string, requestId: string): boolean {
  return log.split("\n").some((line) => line.includes(requestId) && line.includes("permission denied"));
}

function withPassword(url: string, user: string, password: string): string {
  const changed = new URL(url);
  changed.username = user;
  changed.password = encodeURIComponent(password);
  return changed.href;
}
