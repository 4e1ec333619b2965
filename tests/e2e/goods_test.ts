/** Skus and reasons between two servers on one database, and in great numbers. */
import { assert, assertEquals } from "@std/assert";
import { createTestDatabase } from "../support/database.ts";
import { checkLedger } from "../support/ledger_check.ts";
import { startServer } from "../support/server.ts";
import type { CallResult, Json, Method } from "../support/clients/client.ts";
import { callJson } from "../support/clients/json_fetch.ts";

const ROUNDS = 10;
const ORDERS = 1000;
const LINES = 10;

Deno.test("what one server names, the other knows: races for skus, and reasons", async (t) => {
  await using database = await createTestDatabase();
  await using a = await startServer({ database });
  await using b = await startServer({ database });
  const call = (server: { url: string }, method: Method, request: Json): Promise<CallResult> =>
    callJson(server.url, method, JSON.stringify(request));
  const answerOf = async (...args: Parameters<typeof call>): Promise<Json> => {
    const result = await call(...args);
    assert("answer" in result, JSON.stringify(result));
    return result.answer;
  };
  const goodsOf = (answer: Json) => (answer["goods"] as Json)["goodsId"] as number;

  await t.step("the same sku registered on both at once is one goods", async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const answers = await Promise.all(
        [a, b, a, b].map((server) => answerOf(server, "RegisterGoods", { sku: `made ${round}` })),
      );
      assertEquals(new Set(answers.map(goodsOf)).size, 1);
    }
  });

  await t.step("of two levels set with one sku one goods has it, and the other call has set nothing", async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const sku = `set ${round}`;
      const goods = [100 + 2 * round, 101 + 2 * round] as const;
      const results = await Promise.all(
        [a, b].map((server, i) => call(server, "SetInv", { goodsId: goods[i], sku, num: 5 })),
      );
      const given = results.findIndex((result) => "answer" in result);
      const refused = results[1 - given]!;
      assert("code" in refused && refused.code === "ALREADY_EXISTS", JSON.stringify(results));
      for (const server of [a, b]) {
        assertEquals((await answerOf(server, "InvDetail", { sku }))["goodsId"], goods[given]);
        assert("code" in await call(server, "InvDetail", { goodsId: goods[1 - given] }));
      }
    }
  });

  await t.step("a level set by sku races its registration: it is set, or the sku is not known yet", async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const sku = `race ${round}`;
      const [registered, set] = await Promise.all([
        answerOf(a, "RegisterGoods", { sku }),
        call(b, "SetInv", { sku, num: 7 }),
      ]);
      if ("answer" in set) assertEquals(set.answer["goodsId"], goodsOf(registered));
      else assertEquals(set.code, "NOT_FOUND");
      assertEquals((await answerOf(b, "SetInv", { sku, num: 7 }))["goodsId"], goodsOf(registered));
    }
  });

  await t.step("both sell what one of them named, whatever each calls it", async () => {
    await answerOf(a, "SetInv", { goodsId: 1, sku: "Apple", num: 100 });
    const sold = await Promise.all(
      Array.from(
        { length: 20 },
        (_, i) =>
          answerOf(i % 2 === 0 ? a : b, "Sell", { goodsInfo: [{ sku: "Apple", num: 2 }, { goodsId: 1, num: 3 }] }),
      ),
    );
    for (const { goodsInfo } of sold) assertEquals(goodsInfo, [{ goodsId: 1, num: 5, locationId: 0, sku: "Apple" }]);
    assertEquals((await answerOf(b, "InvDetail", { sku: "Apple" }))["num"], 0);
  });

  await t.step("a reason that one of them added may be given to the other", async () => {
    const sell = { goodsInfo: [{ goodsId: 2, num: 1 }], reason: "sample" };
    await answerOf(a, "SetInv", { goodsId: 2, num: 5, reason: "found" });
    const unknown = await call(b, "Sell", sell);
    assert("code" in unknown && unknown.code === "INVALID_ARGUMENT");
    assertEquals(unknown.details[0]?.["fieldViolations"], [{
      field: "reason",
      description: "expected one of correction, count, damage, found, return, theft, got sample",
      reason: "",
    }]);
    await answerOf(a, "AddReason", { reason: { code: "sample", description: "Went out as a sample" } });
    await answerOf(b, "Sell", sell);
    await answerOf(a, "Sell", sell);
  });

  await t.step(
    `${ORDERS * LINES} skus that nobody knows are looked up for one batch, and each order hears of its own`,
    async () => {
      const orders = Array.from({ length: ORDERS }, (_, n) => ({
        goodsInfo: Array.from({ length: LINES }, (_, i) => ({ sku: `none ${n} ${i}`, num: 1 })),
      }));
      const known = { goodsInfo: [{ sku: "set 0", num: 1 }] };
      const { verdicts } = await answerOf(a, "SellBatch", { orders: [...orders.slice(1), known] }) as {
        verdicts: { sold?: Json; error?: { code: number; message: string } }[];
      };
      assertEquals(verdicts.length, ORDERS);
      for (const [n, { error }] of verdicts.slice(0, -1).entries()) {
        assertEquals(error?.code, 5);
        assert(error?.message.startsWith(`unknown sku: "none ${n + 1} 0"`), error?.message);
      }
      assert(verdicts.at(-1)?.sold !== undefined, JSON.stringify(verdicts.at(-1)));
    },
  );

  assertEquals(await checkLedger(database.ownerUrl), []);
});
