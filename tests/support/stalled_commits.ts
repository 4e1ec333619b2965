/**
 * Commits that stand still until they are set free, as with a standby that does not answer or a disk that does not
 * write.
 */
import postgres from "postgres";
import { eventually } from "./eventually.ts";

/** No standby has this name. */
const STANDBY = "nobody";

/** The stall. */
export interface StalledCommits {
  /** Lets all of them go; resolves when none stands still any more. */
  heal(): Promise<void>;
}

/**
 * From when this resolves on, every commit of the server waits for a standby that is not there. Each process of
 * PostgreSQL learns of the setting in its own time, so one commit is tried until it stands still.
 *
 * @param ownerUrl address of a superuser
 */
export async function stallCommits(ownerUrl: string): Promise<StalledCommits> {
  const session = () => postgres(ownerUrl, { max: 1, onnotice: () => {} });
  const [owner, probe] = [session(), session()];
  const standing = async () => {
    const [row] = await owner<{ count: number }[]>`
      select count(*)::int as count from pg_stat_activity where wait_event = 'SyncRep'`;
    return row!.count;
  };
  await owner.unsafe(`alter system set synchronous_standby_names = '${STANDBY}'`);
  await owner`select pg_reload_conf()`;
  let commit: Promise<unknown> = Promise.resolve();
  await eventually(async () => {
    let isMade = false;
    commit = probe`select pg_logical_emit_message(true, 'probe', '')`.then(() => isMade = true);
    // It is reported where it is waited for; a server that is stopped before that ends it.
    commit.catch(() => {});
    await eventually(async () => isMade || await standing() > 0, "a commit is made, or stands still");
    return !isMade;
  }, "a commit stands still");
  return {
    async heal() {
      await owner`alter system reset synchronous_standby_names`;
      await owner`select pg_reload_conf()`;
      await commit;
      await eventually(async () => await standing() === 0, "no commit stands still");
      await Promise.all([owner, probe].map((sql) => sql.end({ timeout: 1 })));
    },
  };
}
