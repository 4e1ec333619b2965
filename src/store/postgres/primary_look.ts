/** The look behind the search for the host that takes writes: a session of its own on each host, and a commit. */
import { NEVER } from "../../base/never.ts";
import { postgresHostText, withOneHost } from "../../config/postgres_address.ts";
import type { DatabaseAccess } from "./access.ts";
import { DatabaseUnavailableError, takesNoWrites } from "../errors.ts";
import { Pool, type PoolOptions } from "./pool.ts";
import { PrimarySearch } from "./primary.ts";
import type { Sessions } from "./sessions.ts";
import type { Statement } from "./transaction_block.ts";

/** The search for the host of this address that takes writes. */
export function primaryOf(options: Omit<PoolOptions, "primary">, sessions: Sessions): PrimarySearch {
  const { hosts } = options.address;
  return new PrimarySearch({
    hosts: hosts.map(postgresHostText),
    look: async (index) => {
      const { access, ...given } = options;
      const look = ({ address, certificates }: Partial<DatabaseAccess> = {}) =>
        assertTakesWrites({
          ...given,
          address: withOneHost(address ?? given.address, index),
          certificates: certificates ?? given.certificates,
        }, sessions);
      const seen = access?.current;
      const { kind } = sessions;
      try {
        await look(seen);
      } catch (error) {
        const isOther = access !== undefined && seen !== undefined && await access.isOther(seen);
        if (!isOther && sessions.kind === kind) throw error;
        await look(access?.current);
      }
    },
    nowMs: () => performance.now(),
  });
}

/** What a look shows. */
interface Look {
  readonly read_only: string;
  readonly is_standby: boolean;
  /** The commit that waits longest for a standby, of those that this role can see; null: none does. */
  readonly waits_ms: number | null;
}

/** Of an engine without standbys that read the log. */
const UNDEFINED_FUNCTION = "42883";
/** A commit that waits so long for a standby shows that another one would wait as well. */
const STANDBY_MS_MAX = 1000;

/**
 * Throws where the only host of the address can't be asked, takes no writes (a standby, or one that is set so), or does
 * not end a commit.
 *
 * The commit is for a server that has just been started again: what was committed there, and not yet on a standby, can
 * be read at once, and would be lost with that server. It is behind all of that in the log, so it is answered once the
 * standby has all of that.
 */
async function assertTakesWrites(options: Omit<PoolOptions, "primary">, sessions: Sessions): Promise<void> {
  const pool = new Pool({ ...options, max: 1, waitersMax: 1 }, sessions);
  try {
    const [row] = await pool.run(lookStatement, NEVER);
    if (row?.read_only !== "off") throw takesNoWrites(row?.is_standby === true);
    // Each that is begun keeps a session of the server until a standby answers, whoever has left.
    if ((row.waits_ms ?? 0) > STANDBY_MS_MAX) {
      throw new DatabaseUnavailableError("commits wait for a synchronous standby that does not answer");
    }
    await pool.run(commitStatement, NEVER).catch((error) => {
      if ((error as { code?: string }).code !== UNDEFINED_FUNCTION) throw error;
    });
  } finally {
    await pool.close();
  }
}

/** The statement that looks at a host. */
export const lookStatement: Statement<Look[]> = (sql) =>
  sql`
    select current_setting('transaction_read_only') as read_only, pg_is_in_recovery() as is_standby,
           (select (1000 * max(extract(epoch from clock_timestamp() - xact_start)))::int from pg_stat_activity
             where usename = current_user and wait_event = 'SyncRep') as waits_ms`;

/** A commit that changes nothing. */
export const commitStatement: Statement<unknown[]> = (sql) => sql`select pg_logical_emit_message(true, 'holdfast', '')`;
