/**
 * Keys of callers: `deno task keys add|list|revoke`, as the owner of the database (DATABASE_OWNER_URL), or as a role
 * that was granted select, insert and update on `api_keys`. The server's own role only reads them, so that whoever
 * takes a server over makes no keys.
 *
 * A new key is the one line on standard output, and is shown that once: all that is kept is a hash.
 */
import { keyHash, newKey } from "../auth/keys/key_text.ts";
import { ConfigError } from "../config/config.ts";
import { databasePermissions, missingPermissions } from "../config/permissions.ts";
import { migrateAddresses } from "../migrate/addresses.ts";
import { withSession } from "../migrate/session.ts";
import { EXIT_FAILED, EXIT_UNUSABLE, EXIT_USAGE } from "../process/exit_codes.ts";
import { addKey, KEYS_MAX, type ListedKey, listKeys, revokeKey } from "../store/statements/keys.ts";
import type { Statement } from "../store/postgres/transaction_block.ts";
import { type KeyCommand, parseCommand, USAGE, UsageError } from "./arguments.ts";

/** insufficient_privilege, undefined_table */
const ADVICE: ReadonlyMap<string, string> = new Map([
  ["42501", "set DATABASE_OWNER_URL to a role that may change api_keys"],
  ["42P01", "run `deno task migrate` first"],
]);

/** Runs a statement on the database of the addresses. */
type Run = <T>(statement: Statement<T>) => Promise<T>;

/** Does it, and prints what came of it. @returns the exit code */
async function perform(command: KeyCommand, run: Run): Promise<number> {
  switch (command.verb) {
    case "add": {
      const { id, key } = newKey();
      const { name, rights, expires } = command;
      const [added] = await run(addKey({ id, sha256: keyHash(key).toString("hex"), name, rights, expires }));
      if (added === undefined) {
        console.error(`There are ${KEYS_MAX} live keys, which is as many as there may be. Revoke some first`);
        return EXIT_FAILED;
      }
      console.error(`${line(added)}\nThe key is shown this once, and works within a second:`);
      console.log(key);
      return 0;
    }
    case "list": {
      const keys = await run(listKeys);
      for (const key of keys) console.log(line(key));
      if (keys.length === 0) console.error("There are no keys");
      return 0;
    }
    case "revoke": {
      const [revoked] = await run(revokeKey(command.id));
      if (revoked === undefined) {
        console.error(`There is no key ${command.id}`);
        return EXIT_FAILED;
      }
      console.log(line(revoked));
      return 0;
    }
  }
}

/** The name last, as it may have spaces. */
function line({ id, state, rights, expires, created, updated, name }: ListedKey): string {
  const times = `expires ${expires ?? "never"}  created ${created}  changed ${updated}`;
  return `${id}  ${state.padEnd("revoked".length)}  ${rights}  ${times}  ${name}`;
}

async function main(): Promise<number> {
  try {
    const command = parseCommand(Deno.args.filter((arg) => arg !== "--"), Date.now());
    const { owner } = migrateAddresses((name) => Deno.env.get(name));
    const missing = await missingPermissions(databasePermissions(owner));
    if (missing.length > 0) {
      console.error(`Cannot start without these permissions: ${missing.join(" ")}`);
      return EXIT_UNUSABLE;
    }
    return await withSession(
      owner,
      "DATABASE_OWNER_URL (or DATABASE_URL)",
      ({ sql }) => perform(command, async (statement) => await statement(sql)),
    );
  } catch (error) {
    const { message, code = "" } = error as Error & { code?: string };
    const advice = ADVICE.get(code);
    console.error(advice === undefined ? message : `${message}: ${advice}`);
    if (error instanceof UsageError) console.error(USAGE);
    return error instanceof UsageError ? EXIT_USAGE : error instanceof ConfigError ? EXIT_UNUSABLE : EXIT_FAILED;
  }
}

if (import.meta.main) Deno.exit(await main());
