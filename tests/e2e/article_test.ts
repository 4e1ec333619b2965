/**
 * The article's own four tests, one to one, through the article's contract. They are run twice in a row on one
 * database, which the article's service fails: its SetInv adds to what the first run left.
 */
import { assertEquals } from "@std/assert";
import type { CallResult, Client, Json, Method } from "../support/clients/client.ts";
import { articleClient } from "../support/clients/grpc_js.ts";
import { serverTest } from "../support/server.ts";

serverTest("the article's tests pass, twice in a row", {}, async (server, step) => {
  await using client = articleClient(server.url);
  for (const run of ["first", "second"]) {
    await step(`TestSetInv, ${run} run`, () => testSetInv(client));
    await step(`TestInvDetail, ${run} run`, () => testInvDetail(client));
    await step(`TestSell, ${run} run`, () => testSell(client));
    await step(`TestRollBack, ${run} run`, () => testRollBack(client));
  }
});

async function testSetInv(client: Client): Promise<void> {
  await requireNoError(client, "SetInv", { goodsId: 1, num: 10 });
}

async function testInvDetail(client: Client): Promise<void> {
  const inventory = await requireNoError(client, "InvDetail", { goodsId: 1, num: 10 });
  assertEquals(inventory.num, 10);
  assertEquals(inventory.goodsId, 1);
}

async function testSell(client: Client): Promise<void> {
  await requireNoError(client, "SetInv", { goodsId: 5, num: 1 });
  const goodsInfo = [{ goodsId: 1, num: 10 }, { goodsId: 4, num: 100 }];
  await requireError(client, "Sell", { goodsInfo }, "NOT_FOUND");
}

async function testRollBack(client: Client): Promise<void> {
  await requireNoError(client, "Rollback", { goodsInfo: [{ goodsId: 1, num: 10 }] });
  const goodsInfo = [{ goodsId: 1, num: 10 }, { goodsId: 10000, num: 1 }];
  await requireError(client, "Rollback", { goodsInfo }, "NOT_FOUND");
}

async function requireNoError(client: Client, method: Method, request: Json): Promise<Json> {
  const result = await client.call(method, request);
  if ("answer" in result) return result.answer;
  throw new Error(`${method} ended in ${result.code}`);
}

/** The article's tests ask for any error; its code has one for each case. */
async function requireError(client: Client, method: Method, request: Json, code: string): Promise<void> {
  const result: CallResult = await client.call(method, request);
  assertEquals("code" in result ? result.code : result.answer, code);
}
