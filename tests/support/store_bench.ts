/** A store without the rest of a server: what is decided is written as it is, and looked at as its owner. */
import postgres from "postgres";
import { parsePostgresAddress } from "../../src/config/postgres_address.ts";
import { createStore, type Store } from "../../src/store/store.ts";
import { createTestDatabase } from "./database.ts";
import { TEST_LIMITS } from "./pool_probe.ts";

/** A store on a database of its own, and its owner's view of it. `await using` closes both. */
export interface StoreBench extends AsyncDisposable {
  readonly store: Store;
  readonly owner: postgres.Sql;
}

/** Opens both. */
export async function openStoreBench(): Promise<StoreBench> {
  const database = await createTestDatabase();
  const store = createStore({ ...TEST_LIMITS, max: 8, address: parsePostgresAddress(database.serverUrl) });
  // The pool's clients read no types, and the statement is made for them.
  const owner = postgres(database.ownerUrl, { max: 1, onnotice: () => {}, fetch_types: false });
  return {
    store,
    owner,
    async [Symbol.asyncDispose]() {
      await store.close();
      await owner.end({ timeout: 1 });
      await database.drop();
    },
  };
}
