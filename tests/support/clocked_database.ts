/** A database whose clock a test sets back, as a failover does to a machine whose clock is behind. */
import postgres from "postgres";
import { createTestDatabase, type TestDatabase } from "./database.ts";

/** The functions by which statements ask for the time. */
const CLOCKS = ["statement_timestamp", "clock_timestamp", "now"];

/** A database, and its clock. */
export interface ClockedDatabase extends TestDatabase {
  /** Its clock is so far behind the machine's, in ms, from now on. */
  setBack(ms: number): Promise<void>;
}

/**
 * Makes one. In front of PostgreSQL's functions of time every session finds others of the same names, so that whatever
 * a statement asks by changes between two statements, and nothing that is on record does.
 */
export async function clockedDatabase(): Promise<ClockedDatabase> {
  const database = await createTestDatabase();
  const owner = postgres(database.ownerUrl, { max: 1, onnotice: () => {} });
  await owner.unsafe(`
    create schema clocks;
    grant usage on schema clocks to public;
    create table clocks.behind as select 0::float8 as ms;
    grant select on clocks.behind to public;
    ${
    CLOCKS.map((name) => `
    create function clocks.${name}() returns timestamptz language sql stable as
      $$ select pg_catalog.${name}() - ms * interval '1 ms' from clocks.behind $$;`).join("")
  }
    alter database "${database.name}" set search_path = clocks, pg_catalog, public;
    reset search_path;`);
  const drop = async () => {
    await owner.end();
    await database.drop();
  };
  return {
    ...database,
    drop,
    [Symbol.asyncDispose]: drop,
    setBack: async (ms) => void await owner`update clocks.behind set ms = ${ms}`,
  };
}
