/** A key for trying out a service that asks for keys: nobody else could make one, as `up` alone knows the owner. */
import { keyHash, newKey } from "../../src/auth/keys/key_text.ts";
import { parsePostgresAddress } from "../../src/config/postgres_address.ts";
import { withSession } from "../../src/migrate/session.ts";
import { addKey } from "../../src/store/statements/keys.ts";

/** Who made what is written by it, as the ledger has it. */
const NAME = "up";
/** Each start makes one, and they should be none that anybody keeps. */
const EXPIRES = { inDays: 1 };

/**
 * A new key that may do everything, in the database of the private PostgreSQL that `ownerUrl` leads to.
 *
 * @throws Error when there are as many keys as there may be
 */
export async function makeTrialKey(ownerUrl: string): Promise<string> {
  const { id, key } = newKey();
  const row = { id, sha256: keyHash(key).toString("hex"), name: NAME, rights: ["operator"], expires: EXPIRES };
  const [added] = await withSession(
    parsePostgresAddress(ownerUrl),
    "the private PostgreSQL",
    async ({ sql }) => await addKey(row)(sql),
  );
  if (added === undefined) throw new Error("No key to try the service with: there are as many as there may be");
  return key;
}
