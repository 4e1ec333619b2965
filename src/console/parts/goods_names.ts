/** What goods are called that are named by their ids alone, as in orders and the ledger. No element. */
import type { Client } from "@connectrpc/connect";
import { DeletedFilter, type QueryService } from "../../gen/inventory/v1/query_pb.ts";

/** Rows that one ListInv answers at most, and locations that it is asked about. */
const ROWS_MAX = 1000;
const LOCATIONS_MAX = 100;

/** A goods where it is known to have been. */
interface Place {
  readonly goodsId: number;
  readonly locationId: number;
}

/** Goods and locations of one ListInv. */
export interface NamesRequest {
  readonly goodsIds: readonly number[];
  readonly locationIds: readonly number[];
}

/**
 * The requests that name the goods of these places. Each is answered on one page, whatever other goods there are and
 * at however many locations these are.
 */
export function namesRequests(places: Iterable<Place>): NamesRequest[] {
  const locationOf = new Map<number, number>();
  for (const { goodsId, locationId } of places) {
    locationOf.set(goodsId, Math.min(locationId, locationOf.get(goodsId) ?? locationId));
  }
  const requests: { goodsIds: number[]; locationIds: number[] }[] = [];
  for (const [goodsId, locationId] of [...locationOf].sort(([, a], [, b]) => a - b)) {
    const last = requests.at(-1);
    const isThere = last?.locationIds.at(-1) === locationId;
    const locations = (last?.locationIds.length ?? 0) + (isThere ? 0 : 1);
    if (last === undefined || locations > LOCATIONS_MAX || (last.goodsIds.length + 1) * locations > ROWS_MAX) {
      requests.push({ goodsIds: [goodsId], locationIds: [locationId] });
      continue;
    }
    last.goodsIds.push(goodsId);
    if (!isThere) last.locationIds.push(locationId);
  }
  return requests;
}

/**
 * SKUs by goods id: those that are known, which goods keep for ever, and those of the places. Goods that have none are
 * not in it.
 *
 * @throws ConnectError
 */
export async function readNames(
  query: Pick<Client<typeof QueryService>, "listInv">,
  places: readonly Place[],
  known: ReadonlyMap<number, string> = new Map(),
): Promise<ReadonlyMap<number, string>> {
  const names = new Map(known);
  for (const { goodsIds, locationIds } of namesRequests(places.filter(({ goodsId }) => !known.has(goodsId)))) {
    const { levels } = await query.listInv({
      goodsIds: [...goodsIds],
      locationIds: [...locationIds],
      deleted: DeletedFilter.INCLUDED,
      pageSize: ROWS_MAX,
    });
    for (const { goodsId, sku } of levels) if (sku !== "") names.set(goodsId, sku);
  }
  return names;
}

/** Writes their names to lines. */
export function nameLines(
  lines: Iterable<{ readonly goodsId: number; sku: string }>,
  names: ReadonlyMap<number, string>,
): void {
  for (const line of lines) line.sku = names.get(line.goodsId) ?? line.sku;
}
