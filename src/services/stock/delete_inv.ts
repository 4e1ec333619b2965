/**
 * Taking a goods off sale whose holds are released first. Each hold is released by an operation of its own, as if its
 * buyer had done it; then the deletion is tried, which is refused where a new hold has come meanwhile. Rounds are
 * bounded, and a deletion that is cut short has released holds and nothing else.
 */
import type { HoldFilter, TimeKey } from "../../inventory/hold_lists.ts";
import type { Level, Order } from "../../inventory/model.ts";
import type { DeleteOperation } from "../../inventory/operations/delete.ts";
import type { ReleaseOperation } from "../../inventory/operations/release.ts";
import { keyOf } from "../../inventory/stock_key.ts";
import type { Lanes } from "../../lanes/lanes.ts";
import { applied, type Asked, type Ending } from "../ending.ts";
import { refusalError } from "../refusals.ts";

/** Holds that are released in one round, and rounds of one call. */
const ROUND_HOLDS_MAX = 200;
const ROUNDS_MAX = 50;

/**
 * What it works with: `listHolds` answers live holds, those that end first before others; it throws Failure or
 * ReadTooLongError.
 */
export interface DeleteParts {
  readonly lanes: Lanes;
  listHolds(
    filter: HoldFilter,
    page: { readonly after: TimeKey | undefined; readonly limit: number },
    signal: AbortSignal,
    address: string | undefined,
  ): Promise<readonly Order[]>;
}

/** What came of it. */
export interface Deleted {
  readonly level: Level;
  readonly replayed: boolean;
  readonly releasedHolds: number;
}

/**
 * Deletes, and releases holds for it where that is wanted.
 *
 * @throws ConnectError, Failure, ReadTooLongError, or the fault
 */
export async function deleteInv(
  parts: DeleteParts,
  asked: Asked<DeleteOperation>,
  releasesHolds: boolean,
  { signal, address }: { readonly signal: AbortSignal; readonly address: string | undefined },
): Promise<Deleted> {
  let { operation } = asked;
  let releasedHolds = 0;
  for (let round = 0;; round++) {
    const ending: Ending = await parts.lanes.apply(operation, signal, address).catch((error) => error);
    const hasHolds = !(ending instanceof Error) && !ending.ok && ending.refusal.reason === "has_holds";
    if (!hasHolds || !releasesHolds || round === ROUNDS_MAX) {
      const { levels: [level], replayed = false } = applied(asked, ending, "stock");
      return { level: level as Level, replayed, releasedHolds };
    }
    if (operation.dryRun === true) return await wouldDelete(parts, operation, signal, address);
    releasedHolds += await releaseRound(parts, operation, signal, address);
    // Each hold that was released made a version of its own.
    const { expected: _, ...rest } = operation;
    operation = rest;
  }
}

/** Releases holds of the place; answers how many. One that ended meanwhile is refused, and that is fine. */
async function releaseRound(
  { lanes, listHolds }: DeleteParts,
  { goodsId, locationId, attribution }: DeleteOperation,
  signal: AbortSignal,
  address: string | undefined,
): Promise<number> {
  const holds = await listHolds(
    { place: { goodsId, locationId } },
    { after: undefined, limit: ROUND_HOLDS_MAX },
    signal,
    address,
  );
  const releases = holds.map(({ orderId }): ReleaseOperation => ({
    kind: "release",
    orderId,
    ...(attribution === undefined ? {} : { attribution }),
  }));
  let released = 0;
  for (const end of await lanes.applyAll(releases, signal, address)) {
    if (end.status === "rejected") throw end.reason;
    if (end.value.ok && end.value.replayed !== true) released++;
  }
  return released;
}

/** What a deletion would come to that released all holds first: the level as it stands, and how many there are. */
async function wouldDelete(
  { lanes, listHolds }: DeleteParts,
  { goodsId, locationId }: DeleteOperation,
  signal: AbortSignal,
  address: string | undefined,
): Promise<Deleted> {
  const place = { goodsId, locationId };
  let releasedHolds = 0;
  let after: TimeKey | undefined;
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const holds = await listHolds({ place }, { after, limit: ROUND_HOLDS_MAX }, signal, address);
    releasedHolds += holds.length;
    const last = holds.at(-1);
    if (last === undefined || holds.length < ROUND_HOLDS_MAX) break;
    after = { atMs: last.expiresAtMs ?? 0, orderId: last.orderId };
  }
  const levels = await lanes.levels([keyOf(place)], signal, address);
  const level = levels.get(keyOf(place));
  // Somebody has deleted it meanwhile.
  if (level === undefined) throw refusalError({ reason: "unknown_goods", places: [place] });
  return { level, replayed: false, releasedHolds };
}
