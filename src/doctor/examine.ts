/** What the doctor looks at, and what it finds: all of one snapshot, and nothing is written. */
import type { OpenSession } from "../migrate/session.ts";
import { missingOrdersStatement, type Sizes, sizesStatement } from "../store/statements/doctor/known_orders.ts";
import { ledgerViolations } from "../store/statements/doctor/ledger_violations.ts";
import {
  isMigratedStatement,
  type SchemaState,
  schemaStateStatement,
  wrongRightsStatement,
} from "../store/statements/doctor/schema_state.ts";

/** Of a session. */
type Sql = OpenSession["sql"];

/** Ids of orders that are looked up at once. */
const IDS_AT_ONCE = 5_000;

/** What a healthy database is measured by. */
export interface Expected {
  /** Numbers of the migrations that this version comes with, ascending. */
  readonly migrations: readonly string[];
  /** What the server's role is set to, on a PostgreSQL of this version (such as 150019). */
  readonly roleSettings: (postgres: number) => Readonly<Record<string, string>>;
}

/** What came of it. */
export interface Findings {
  /** What is not as it should be, a sentence each. */
  readonly faults: readonly string[];
  /** Undefined: there is nothing that could be counted. */
  readonly sizes: Sizes | undefined;
  /** Of the orders that were asked for, those that are not on record. */
  readonly missing: readonly string[];
}

/** Looks at a database, in one transaction that can't write. Throws what PostgreSQL says where that can't be done. */
export async function examine(
  sql: Sql,
  expected: Expected,
  orderIds: readonly string[] = [],
): Promise<Findings> {
  const [migrated] = await isMigratedStatement(sql);
  if (migrated?.there !== true) {
    return { faults: ["schema: there is none: run `deno task migrate`"], sizes: undefined, missing: orderIds };
  }
  return await sql.begin("isolation level repeatable read read only", async (transaction) => {
    // Before anything is seen: a period that leaves behind that would be missing from it.
    await transaction`lock table movements in access share mode`;
    // The server's role gives a statement some seconds, and this reads everything.
    await transaction`set local statement_timeout = 0`;
    await transaction`set local enable_seqscan = on`;
    await transaction`set local jit = off`;
    const session = transaction as unknown as Sql;
    const [state] = await schemaStateStatement(session);
    const schema = schemaFaults(state!, expected);
    // Tables of another version can't be read as this one's.
    if (schema.length > 0) return { faults: schema, sizes: undefined, missing: [] };
    const faults = [
      ...settingFaults(state!),
      ...roleFaults(state!, expected),
      ...state!.role === null ? [] : await rightFaults(session),
      ...(await ledgerViolations(session)).map((violation) => `ledger: ${violation}`),
    ];
    const missing: string[] = [];
    for (let from = 0; from < orderIds.length; from += IDS_AT_ONCE) {
      const rows = await missingOrdersStatement(orderIds.slice(from, from + IDS_AT_ONCE))(session);
      missing.push(...rows.map(({ id }) => id));
    }
    const [sizes] = await sizesStatement(session);
    return { faults, sizes, missing };
  });
}

function schemaFaults({ applied }: SchemaState, { migrations }: Expected): string[] {
  const older = migrations.filter((number) => !applied.includes(number));
  const newer = applied.filter((number) => !migrations.includes(number));
  return [
    ...(older.length > 0
      ? [`schema: older than this version, without ${older.join(", ")}: run \`deno task migrate\``]
      : []),
    ...(newer.length > 0
      ? [`schema: newer than this version, with ${newer.join(", ")}: use the doctor of the version that made it`]
      : []),
  ];
}

function settingFaults(state: SchemaState): string[] {
  return (["fsync", "full_page_writes"] as const).filter((name) => state[name] !== "on")
    .map((name) =>
      `settings: ${name} is ${state[name]}, expected on: what is acknowledged could be lost with the power`
    );
}

function roleFaults({ role, postgres }: SchemaState, { roleSettings }: Expected): string[] {
  if (role === null) return ["role: holdfast_server is not there: run `deno task migrate`"];
  const wanted = Object.entries(roleSettings(postgres));
  const unset = wanted.filter(([name, value]) => !role.settings.includes(`${name}=${value}`)).map(([name]) => name);
  const overruled = role.here.filter((setting) => wanted.some(([name]) => setting.startsWith(`${name}=`)));
  return [
    ...(role.login ? [] : ["role: holdfast_server may not log in"]),
    ...(role.mighty ? ["role: holdfast_server may do more than log in: run `deno task migrate`"] : []),
    ...(unset.length > 0 ? [`role: holdfast_server is without ${unset.join(", ")}: run \`deno task migrate\``] : []),
    ...overruled.map((setting) => `role: holdfast_server has another setting in this database alone: ${setting}`),
  ];
}

async function rightFaults(session: Sql): Promise<string[]> {
  const rows = await wrongRightsStatement(session);
  return rows.map(({ object, privilege, expected }) =>
    `rights: holdfast_server ${expected ? "may not" : "may"} ${privilege} ${object}`
  );
}
