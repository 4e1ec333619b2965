/** What docs/runbook.md has typed into PostgreSQL at night finds what it says that it finds. */
import { assertEquals, assertMatch } from "@std/assert";
import postgres from "postgres";
import { lockRow } from "../support/contention.ts";
import { applyTo, set } from "../support/apply.ts";
import { createTestDatabase } from "../support/database.ts";
import { eventually } from "../support/eventually.ts";
import { TEST_LIMITS } from "../support/pool_probe.ts";
import { parsePostgresAddress } from "../../src/config/postgres_address.ts";
import { createStore } from "../../src/store/store.ts";
import { sourceText } from "../support/source_files.ts";

const [HOLDERS = ""] = /(?<=`)select distinct pid[^`]+(?=`)/.exec(sourceText("docs/runbook.md")) ?? [];

Deno.test("docs/runbook.md: who keeps a goods' row locked is found, and nobody who only reads", async () => {
  // Tables of databases that were copied from one have the same numbers.
  await using elsewhere = await createTestDatabase();
  await using _lockedElsewhere = await lockRow(elsewhere.ownerUrl, 1);
  const database = await createTestDatabase();
  const owner = postgres(database.ownerUrl, { max: 2, onnotice: () => {} });
  const store = createStore({ ...TEST_LIMITS, address: parsePostgresAddress(database.serverUrl) });
  const reader = await owner.reserve();
  try {
    await applyTo(store, set("set-1", 1, 10));
    await reader`begin`;
    await reader`select * from levels`;
    {
      await using _locked = await lockRow(database.ownerUrl, 1);
      await eventually(async () => (await owner.unsafe(HOLDERS)).length === 1, "one session is found");
      const [found] = await owner.unsafe(HOLDERS);
      const [{ pid } = { pid: 0 }] = await reader`select pg_backend_pid() as pid`;
      assertEquals([found?.["pid"] === pid, found?.["usename"]], [false, new URL(database.ownerUrl).username]);
      assertMatch(String(found?.["left"]), /for update/i);
    }
    assertEquals((await owner.unsafe(HOLDERS)).length, 0);
  } finally {
    await reader`rollback`;
    reader.release();
    await store.close();
    await owner.end({ timeout: 1 });
    await database.drop();
  }
});
