/** What commands have in common that look at a database, or change it, as its owner. */
import { ConfigError } from "../config/config.ts";
import { databasePermissions, missingPermissions } from "../config/permissions.ts";
import { EXIT_FAILED, EXIT_UNUSABLE, EXIT_USAGE } from "../process/exit_codes.ts";
import { migrateAddresses } from "./addresses.ts";
import { type OpenSession, withSession } from "./session.ts";

/** What is to be done; answers the exit code. */
type Work = (sql: OpenSession["sql"]) => Promise<number>;

/** Is not called as it should be; the message says what was expected. */
export class UsageError extends Error {}

/**
 * Runs what `prepare` makes of the arguments of this process on a session of DATABASE_OWNER_URL, or of DATABASE_URL
 * where that is not set. Prints what goes wrong, and with a UsageError `usage` as well.
 *
 * @returns the exit code: what the work answers, or why it was not done
 */
export async function ownerCommand(
  usage: string,
  prepare: (args: readonly string[]) => Work | Promise<Work>,
): Promise<number> {
  try {
    const work = await prepare(Deno.args.filter((arg) => arg !== "--"));
    const { owner } = migrateAddresses((name) => Deno.env.get(name));
    const missing = await missingPermissions(databasePermissions(owner));
    if (missing.length > 0) {
      console.error(`Cannot start without these permissions: ${missing.join(" ")}`);
      return EXIT_UNUSABLE;
    }
    return await withSession(owner, "DATABASE_OWNER_URL (or DATABASE_URL)", ({ sql }) => work(sql));
  } catch (error) {
    console.error((error as Error).message);
    if (error instanceof UsageError) console.error(usage);
    return error instanceof UsageError ? EXIT_USAGE : error instanceof ConfigError ? EXIT_UNUSABLE : EXIT_FAILED;
  }
}
