/** Movements written by hand, as no operation would: in transactions that hang, under savepoints, with other times. */
import postgres from "postgres";

/** How one transaction goes. */
export interface HandWrite {
  /** Of each of these goods, at location 0, the next version. */
  readonly goodsIds: readonly number[];
  /** Under a savepoint of its own each. */
  readonly savepoints?: boolean;
  /** So long before now is the time of the rows. */
  readonly agoMs?: number;
  /** What happens between the rows and the end of the transaction. */
  readonly before?: () => Promise<void>;
  readonly rollback?: boolean;
}

/** Writes it on a connection that nobody else uses. Whoever writes one goods at a time has no conflict. */
export async function writeByHand(sql: postgres.Sql, write: HandWrite): Promise<void> {
  const { goodsIds, savepoints = false, agoMs = 0, before, rollback = false } = write;
  const connection = await sql.reserve();
  try {
    await connection`begin`;
    for (const goodsId of [...goodsIds].sort((a, b) => a - b)) {
      if (savepoints) await connection`savepoint one`;
      await moveByHand(connection, goodsId, agoMs);
      if (savepoints) await connection`release savepoint one`;
    }
    await before?.();
    await (rollback ? connection`rollback` : connection`commit`);
  } finally {
    connection.release();
  }
}

/** The same by a process that vanishes before the end. */
export async function vanishByHand(ownerUrl: string, write: HandWrite): Promise<void> {
  const sql = postgres(ownerUrl, { max: 1, onnotice: () => {} });
  try {
    const vanish = async () => {
      await write.before?.();
      throw VANISHED;
    };
    await writeByHand(sql, { ...write, before: vanish });
  } catch (error) {
    if (error !== VANISHED) throw error;
  } finally {
    await sql.end({ timeout: 0 });
  }
}
const VANISHED = new Error("vanished");

/** The next version of a goods. */
async function moveByHand(sql: postgres.ReservedSql, goodsId: number, agoMs: number): Promise<void> {
  const at = sql`clock_timestamp() - ${agoMs} * interval '1 millisecond'`;
  const [level] = await sql<{ version: string }[]>`select version from levels where goods_id = ${goodsId} for update`;
  const version = Number(level?.version ?? 0) + 1;
  await sql`insert into movements (goods_id, location_id, version, kind, on_hand_delta, reserved_delta, on_hand_after,
                                   reserved_after, at)
            values (${goodsId}, 0, ${version}, 'adjust', 1, 0, ${version}, 0, ${at})`;
  if (version === 1) {
    await sql`insert into levels (goods_id, location_id, on_hand, version, updated_at)
              values (${goodsId}, 0, 1, 1, ${at})`;
  } else {
    await sql`update levels set on_hand = ${version}, version = ${version}, updated_at = ${at}
               where goods_id = ${goodsId}`;
  }
}
