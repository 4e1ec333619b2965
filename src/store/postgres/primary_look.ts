/** The look behind the search for the host that takes writes: a session of its own on each host. */
import { NEVER } from "../../base/never.ts";
import { postgresHostText, withOneHost } from "../../config/postgres_address.ts";
import type { DatabaseAccess } from "./access.ts";
import { DatabaseUnavailableError } from "../errors.ts";
import { Pool, type PoolOptions } from "./pool.ts";
import { PrimarySearch } from "./primary.ts";
import type { Sessions } from "./sessions.ts";

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
      try {
        await look(seen);
      } catch (error) {
        if (access === undefined || seen === undefined || !await access.isOther(seen)) throw error;
        await look(access.current);
      }
    },
    nowMs: () => performance.now(),
  });
}

/** Throws where the only host of the address can't be asked, or takes no writes: a standby, or one that is set so. */
async function assertTakesWrites(options: Omit<PoolOptions, "primary">, sessions: Sessions): Promise<void> {
  const pool = new Pool({ ...options, max: 1, waitersMax: 1 }, sessions);
  try {
    const [row] = await pool.run<{ read_only: string }[]>(
      (sql) => sql`select current_setting('transaction_read_only') as read_only`,
      NEVER,
    );
    if (row?.read_only !== "off") throw new DatabaseUnavailableError("it takes no writes");
  } finally {
    await pool.close();
  }
}
