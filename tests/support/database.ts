/** A migrated database for one test, copied from the run's template under a random name. */
import postgres from "postgres";
import { askDatabaseMaker } from "../../tools/test/database_maker.ts";
import { testEnvironment } from "./env.ts";

/** A database of a test's own. `await using` drops it at the end of the block. */
export interface TestDatabase extends AsyncDisposable {
  readonly name: string;
  /** Address for the superuser. */
  readonly ownerUrl: string;
  /** Address for `holdfast_server`, with the server's rights only. */
  readonly serverUrl: string;
  /** Drops it, and ends the connections that still use it. */
  drop(): Promise<void>;
}

/** Where the copy comes from: the migrated template, or an empty database for tests of the migrations themselves. */
export interface TestDatabaseOptions {
  readonly empty?: boolean;
}

/**
 * Makes a database with the whole schema and no rows.
 *
 * @throws Error when the test was not started by `deno task test`
 */
export async function createTestDatabase(options: TestDatabaseOptions = {}): Promise<TestDatabase> {
  const { databaseMaker, databaseOwnerUrl, databaseServerUrl } = testEnvironment();
  const name = await askDatabaseMaker(databaseMaker, options.empty === true ? "empty" : "copy");
  const drop = async () => void await askDatabaseMaker(databaseMaker, `drop/${name}`);
  return {
    name,
    ownerUrl: withDatabase(databaseOwnerUrl, name),
    serverUrl: withDatabase(databaseServerUrl, name),
    drop,
    [Symbol.asyncDispose]: drop,
  };
}

/** A database that ends with its server, and not before. */
export function lastingDatabase(name: string, ownerUrl: string, serverUrl: string): TestDatabase {
  const drop = () => Promise.resolve();
  return { name, ownerUrl, serverUrl, drop, [Symbol.asyncDispose]: drop };
}

/** The same server and role, another database. */
function withDatabase(url: string, name: string): string {
  const changed = new URL(url);
  changed.pathname = `/${name}`;
  return changed.href;
}

/** One session of the owner's, to do by hand what no operation does. `await using` ends it. */
export function ownerOf(ownerUrl: string): { readonly sql: postgres.Sql } & AsyncDisposable {
  const sql = postgres(ownerUrl, { max: 1, onnotice: () => {} });
  return { sql, [Symbol.asyncDispose]: () => sql.end() };
}
