/**
 * Runs tables of bad inputs against the program: each row must get its answer, and after each the stock, the orders and
 * the ledger must stand as before, unless the row says that it is a good input after all.
 */
import { assertEquals, assertNotEquals } from "@std/assert";
import postgres from "postgres";
import type { Step, TestServer } from "./server.ts";
import { allRows } from "./all_rows.ts";

/** One input, sent at one method, and what it gets. */
export interface BadInput {
  readonly input: string;
  readonly send: (baseUrl: string) => Promise<string>;
  /** As `raw_call.ts` words it. */
  readonly answer: string;
  /** Well-formed after all: the call is applied. */
  readonly applied?: boolean;
}

/** A step a row; at the end the same process (nobody starts it again) must still take work. */
export async function runBadInputs(server: TestServer, step: Step, rows: readonly BadInput[]): Promise<void> {
  const owner = postgres(server.databaseOwnerUrl, { max: 1 });
  for (const { input, send, answer, applied = false } of rows) {
    await step(`${input}: ${answer}`, async () => {
      const before = await allRows(owner);
      assertEquals(await send(server.url), answer);
      const after = await allRows(owner);
      if (applied) assertNotEquals(after, before, "the call was not applied");
      else assertEquals(after, before, "the call changed something");
    });
  }
  await step("the same process still takes work", async () => {
    const before = await allRows(owner);
    const response = await fetch(`${server.url}/inventory.v1.InventoryService/SetInv`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ goodsId: 777_777, num: 1 }),
    });
    const level = { goodsId: 777_777, num: 1, onHand: 1, reserved: 0, version: "1", locationId: 0, sku: "" };
    assertEquals(await response.json(), level);
    assertNotEquals(await allRows(owner), before);
  });
  await owner.end();
}
