/** Slips in the store. */
import type { Slip } from "../plant.ts";

const ERRORS = {
  file: "src/store/errors.ts",
  tests: ["tests/integration/store_errors_test.ts", "tests/unit/store_errors_test.ts"],
};
const LEVELS = {
  file: "src/store/statements/branches/levels.ts",
  tests: ["tests/integration/store_fence_test.ts"],
};
const SALES = { ...LEVELS, file: "src/store/statements/branches/sales.ts" };
const ORDERS = { ...LEVELS, file: "src/store/statements/branches/orders.ts" };

export const STORE_SLIPS: readonly Slip[] = [
  {
    file: "src/store/postgres/pool.ts",
    find: "return !dialer.admitted && access !== undefined && await this.#options.access?.isOther(access) === true;",
    replace: "return false;",
    rule: "a password that was replaced in its file fails no call",
    tests: ["tests/integration/database_passwords_test.ts"],
  },
  {
    file: "src/store/postgres/primary_look.ts",
    find: "await pool.run(commitStatement, NEVER)",
    replace: "await pool.run(lookStatement, NEVER)",
    rule: "a primary that was started again is not read before a standby has what it had alone",
    tests: ["tests/drills/failover_test.ts"],
  },
  {
    file: "src/store/postgres/primary.ts",
    find: "    this.#isDoubted = true;\n  }\n\n  /** The place",
    replace: "  }\n\n  /** The place",
    rule: "the only host is looked at before it is used",
    tests: ["tests/unit/primary_search_test.ts"],
  },
  {
    file: "src/store/postgres/pool.ts",
    find: "return this.#alone(statement, signal, NEVER);",
    replace: "return this.#alone(statement, signal, signal);",
    rule: "a write is not cancelled while its commit waits for a standby",
    tests: ["tests/integration/writes_not_cancelled_test.ts"],
  },
  {
    file: "src/config/renewed_secrets.ts",
    find: "if (JSON.stringify(found) === JSON.stringify(before)) return;",
    replace: "if (before !== undefined) return;",
    rule: "a file that is read anew changes who logs in, and nothing else",
    tests: ["tests/integration/database_passwords_test.ts", "tests/integration/redis_tls_test.ts"],
  },
  {
    file: "src/store/postgres/transaction_block.ts",
    find: "    await begun;\n",
    replace: "",
    rule: "a block that did not begin writes nothing",
    tests: ["tests/unit/transaction_block_test.ts"],
  },
  {
    file: "src/store/postgres/transaction_block.ts",
    find: "    sealed = true;\n    const written",
    replace: "    const written",
    rule: "behind the commit of a block nothing is sent",
    tests: ["tests/unit/transaction_block_test.ts"],
  },
  {
    file: "src/store/postgres/scram.ts",
    find: 'createHash("sha256").update(clientKey)',
    replace: 'createHash("sha256").update(salted)',
    rule: "what is stored of a password is the hash of the client's key",
    tests: ["tests/unit/scram_test.ts"],
  },
  {
    ...ERRORS,
    find: `code === "40001" || code === "40P01"`,
    replace: `code === "40P01"`,
    rule: "a serialization failure is a conflict",
  },
  {
    ...ERRORS,
    find: `code === "40001" || code === "40P01"`,
    replace: `code === "40001"`,
    rule: "a deadlock is a conflict",
  },
  {
    ...ERRORS,
    find: "/^(57P03|53|58|",
    replace: "/^(57P03|58|",
    rule: "a full disk is a database that takes no work",
  },
  {
    ...ERRORS,
    find: 'if (code === "25006") ',
    replace: 'if (code === "25007") ',
    rule: "a database that is read-only takes no work",
  },
  {
    ...ERRORS,
    find: "|08|40003|",
    replace: "|08|",
    rule: "a completion that is not known is an unknown outcome",
  },
  {
    ...ERRORS,
    find: `if (code === "57014") return new StatementTimeoutError(code, { cause: error });\n`,
    replace: "",
    rule: "a statement that ran into its time limit wrote nothing",
  },
  {
    ...ERRORS,
    find: "const PRIMARY_KEY = /_pkey(_?\\d+)?$/;",
    replace: "const PRIMARY_KEY = /_pkey$/;",
    rule: "a fence is a primary key, whatever partition or shard it is of",
    tests: [...ERRORS.tests, "tests/integration/store_partitions_test.ts"],
  },
  {
    ...LEVELS,
    find: " and levels.reserved = l.reserved_read",
    replace: "",
    rule: "a row of levels is as it was read, in every column that a decision looks at",
  },
  {
    ...LEVELS,
    find: "and (levels.deleted_at is not null) = l.deleted_read ",
    replace: "",
    rule: "a goods that was closed behind the ledger is not sold",
  },
  {
    ...LEVELS,
    find: " = l.policy_read::jsonb",
    replace: " is not null",
    rule: "a policy that was corrected behind the ledger is not undone",
  },
  {
    ...SALES,
    find: "and levels.on_hand = l.on_hand_read ",
    replace: "",
    rule: "what is on hand of goods that are sold is as it was read",
  },
  {
    ...SALES,
    find: " and levels.reserved = l.reserved",
    replace: "",
    rule: "what is reserved of goods that are sold is as it was read",
  },
  {
    ...SALES,
    find: " and levels.deleted_at is null",
    replace: "",
    rule: "a goods that was closed behind the ledger takes no sale",
  },
  {
    ...SALES,
    find: "max(version) as version, min(on_hand) as on_hand",
    replace: "max(version) as version, max(on_hand) as on_hand",
    rule: "a goods that is sold by several stands as after the last of them",
    tests: ["tests/integration/store_branches_test.ts"],
  },
  {
    ...ORDERS,
    find: " and orders.location_ids is not distinct from w.locations_read",
    replace: "",
    rule: "where a hold lies is as it was read, where it is reserved anew",
  },
  {
    ...ORDERS,
    find: "             and orders.returned = w.returned_read",
    replace: "",
    rule: "an order is changed only as it was read",
  },
  {
    ...ORDERS,
    find: "sql`(select count(*) from changed) = ${changed.length}::int`",
    replace: "sql`(select count(*) from changed) <= ${changed.length}::int`",
    rule: "orders that were to be changed and are not there end the statement",
  },
  {
    file: "src/store/statements/read_levels.ts",
    find: "as newest\n         where deleted_at is null`;",
    replace: "as newest`;",
    rule: "a goods that is no longer sold has no level",
    tests: ["tests/integration/store_test.ts"],
  },
  {
    file: "src/store/statements/read_locked.ts",
    find: "if (error instanceof StoreError) throw error;\n",
    replace: "",
    rule: "a look at row locks that fails for the database's sake says so",
    tests: ["tests/integration/store_row_locks_test.ts"],
  },
  {
    file: "src/store/postgres/transaction_block.ts",
    find: "throw error instanceof OutcomeUnknownError ? new BlockLostError(error.message, { cause: error }) : error;",
    replace: "throw error;",
    rule: "a block that is lost before anything was written is no unknown outcome",
    tests: ["tests/integration/store_row_locks_test.ts"],
  },
  {
    file: "src/store/statements/change_under_row_locks.ts",
    find: "limit 1 for update)",
    replace: "limit 1)",
    rule: "rows are locked from before the read until the commit",
    tests: ["tests/integration/store_row_locks_test.ts"],
  },
  {
    file: "src/store/postgres/arrays.ts",
    find: `value.replace(/["\\\\]/g, "\\\\$&")`,
    replace: `value.replace(/"/g, "\\\\$&")`,
    rule: "any text goes through an array as it is",
    tests: ["tests/unit/arrays_test.ts"],
  },
];
