/** What a database says of its schema, of the server's role and of how durable it is. */
import { SERVER_ROLE } from "../../../config/settings.ts";
import { arrayLiteral } from "../../postgres/arrays.ts";
import type { Statement } from "../../postgres/transaction_block.ts";

/** What is looked at beside the rows. */
export interface SchemaState {
  /** Migrations that are applied, by their numbers, ascending. */
  readonly applied: readonly string[];
  /** Such as 150019. */
  readonly postgres: number;
  readonly fsync: string;
  readonly full_page_writes: string;
  /** Null: there is none. */
  readonly role: {
    readonly login: boolean;
    /** It is a superuser, or may make databases or roles. */
    readonly mighty: boolean;
    /** As `name=value`. */
    readonly settings: readonly string[];
    /** The same that it has in this database alone; these count before the others. */
    readonly here: readonly string[];
  } | null;
}

/** Whether migrations have made anything. */
export const isMigratedStatement: Statement<{ readonly there: boolean }[]> = (sql) =>
  sql`select num_nulls(to_regclass('schema_migrations'), to_regclass('movements')) = 0 as there`;

/** The one row of it. */
export const schemaStateStatement: Statement<SchemaState[]> = (sql) =>
  sql`
    select (select coalesce(array_agg(version::text order by version), '{}') from schema_migrations) as applied,
           current_setting('server_version_num')::int as postgres,
           current_setting('fsync') as fsync, current_setting('full_page_writes') as full_page_writes,
           (select json_build_object(
                     'login', rolcanlogin, 'mighty', rolsuper or rolcreatedb or rolcreaterole,
                     'settings', coalesce(rolconfig, '{}'),
                     'here', coalesce((select setconfig from pg_db_role_setting as setting
                                        where setrole = pg_roles.oid
                                          and setdatabase = (select oid from pg_database
                                                              where datname = current_database())), '{}'))
              from pg_roles where rolname = ${SERVER_ROLE}) as role`;

/** What the server's role must and must not be able to do. */
const RIGHTS: readonly (readonly [object: string, right: string, expected: boolean])[] = [
  ...["levels", "orders", "operations", "movements", "goods", "reasons", "holds", "shortfalls"].flatMap((table) =>
    [[table, "SELECT", true], [table, "INSERT", true], [table, "TRUNCATE", false]] as const
  ),
  ...["api_keys", "openings", "periods"].map((table) => [table, "SELECT", true] as const),
  ...["openings", "periods"].map((table) => [table, "INSERT", false] as const),
  ["api_keys", "INSERT", false],
  ["schema_migrations", "SELECT", true],
  ["holds", "DELETE", true],
  ["movements", "UPDATE", false],
  ...["levels", "orders", "operations", "movements"].map((table) => [table, "DELETE", false] as const),
];
/** Columns that it writes, one of each table that it updates. */
const UPDATED = { levels: "version", orders: "state", holds: "num", shortfalls: "resolved_at" } as const;

/** A right that is not as it should be. */
export interface WrongRight {
  readonly object: string;
  readonly privilege: string;
  /** Whether the role should have it. */
  readonly expected: boolean;
}

/** Those of a role that is there. */
export const wrongRightsStatement: Statement<WrongRight[]> = (sql) =>
  sql`
    select object, privilege, expected from (
      select object, privilege, expected::bool as expected,
             has_table_privilege(${SERVER_ROLE}, object, privilege) as has
        from unnest(${arrayLiteral(RIGHTS.map(([object]) => object))}::text[],
                    ${arrayLiteral(RIGHTS.map(([, right]) => right))}::text[],
                    ${
    arrayLiteral(RIGHTS.map(([, , expected]) => `${expected}`))
  }::text[]) as asked (object, privilege, expected)
       union all
      select object || '.' || name, 'UPDATE', true, has_column_privilege(${SERVER_ROLE}, object, name, 'UPDATE')
        from unnest(${arrayLiteral(Object.keys(UPDATED))}::text[],
                    ${arrayLiteral(Object.values(UPDATED))}::text[]) as written (object, name)
       union all
      select 'goods_ids', 'USAGE', true, has_sequence_privilege(${SERVER_ROLE}, 'goods_ids', 'USAGE')
    ) as looked where has <> expected order by object, privilege`;
