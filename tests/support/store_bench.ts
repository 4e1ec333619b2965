/** A store without the rest of a server: what is decided is written as it is, and looked at as its owner. */
import postgres from "postgres";
import { parsePostgresAddress } from "../../src/config/postgres_address.ts";
import { createStore, type Store, type StoreOptions } from "../../src/store/store.ts";
import { createTestDatabase, type TestDatabase } from "./database.ts";
import { TEST_LIMITS } from "./pool_probe.ts";

/** A store on a database of its own, and its owner's view of it. `await using` closes both. */
export interface StoreBench extends AsyncDisposable {
  readonly store: Store;
  readonly owner: postgres.Sql;
}

/** A store on the database of a test, with limits other than {@link TEST_LIMITS} where they are given. */
export function storeOn(
  { serverUrl }: Pick<TestDatabase, "serverUrl">,
  limits: Partial<Omit<StoreOptions, "address">> = {},
): Store {
  return createStore({ ...TEST_LIMITS, ...limits, address: parsePostgresAddress(serverUrl) });
}

/** Opens both. */
export async function openStoreBench(): Promise<StoreBench> {
  const database = await createTestDatabase();
  const store = storeOn(database, { max: 8 });
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
