/** One goods at one location as the page knows it, read from the server. */
import { type Client, Code, ConnectError } from "@connectrpc/connect";
import { DeletedFilter, type ListedLevel, type QueryService } from "../../gen/inventory/v1/query_pb.ts";
import type { Policy, StockService } from "../../gen/inventory/v1/stock_pb.ts";
import { INT32_MAX } from "../parts/written_numbers.ts";
import { NOTHING, type Stand } from "./preview.ts";

/** Locations of a goods that the page offers. */
const LOCATIONS_MAX = 1000;

/** What is known of a place. */
export interface PlaceKnown {
  readonly goodsId: number;
  readonly locationId: number;
  /** Absent: nobody has ever stocked it. */
  readonly level: ListedLevel | undefined;
  /** Absent: none is set, or it is off sale. */
  readonly policy: Policy | undefined;
  /** The first locations of the goods, by their id: all, where they are not more than a page has. */
  readonly everywhere: readonly ListedLevel[];
  /** Up to this location id there is nothing of the goods that is not among these. */
  readonly knownTo: number;
}

/** As much of a link as a policy is read by. */
interface PolicyLink {
  readonly stock: Pick<Client<typeof StockService>, "getPolicy">;
}

/** As much of a link as levels are read by. */
interface LevelLink {
  readonly query: Pick<Client<typeof QueryService>, "listInv">;
}

/** Reads it. @throws ConnectError */
export async function readPlace(
  link: PolicyLink & LevelLink,
  goodsId: number,
  locationId: number,
): Promise<PlaceKnown> {
  const [{ levels, nextPageToken }, policy] = await Promise.all([
    link.query.listInv({ goodsIds: [goodsId], deleted: DeletedFilter.INCLUDED, pageSize: LOCATIONS_MAX }),
    readPolicy(link, goodsId, locationId),
  ]);
  const onPage = levels.find((level) => level.locationId === locationId);
  const knownTo = nextPageToken === "" ? INT32_MAX : levels.at(-1)?.locationId ?? -1;
  const level = onPage ?? (locationId > knownTo ? await readLevel(link, goodsId, locationId) : undefined);
  return { goodsId, locationId, level, policy, everywhere: levels, knownTo };
}

/** Reads where a goods stands at a location; undefined where nobody has ever stocked it. @throws ConnectError */
export async function readLevel(
  link: LevelLink,
  goodsId: number,
  locationId: number,
): Promise<ListedLevel | undefined> {
  const ask = { goodsIds: [goodsId], locationIds: [locationId], deleted: DeletedFilter.INCLUDED, pageSize: 1 };
  return (await link.query.listInv(ask)).levels[0];
}

/** Reads its policy; undefined where none is set, or it is off sale. @throws ConnectError */
export async function readPolicy(
  link: PolicyLink,
  goodsId: number,
  locationId: number,
): Promise<Policy | undefined> {
  try {
    return (await link.stock.getPolicy({ goodsId, locationId })).policy;
  } catch (error) {
    if (ConnectError.from(error).code === Code.NotFound) return undefined;
    throw error;
  }
}

/**
 * The numbers that previews begin with. What a policy withholds follows from the level: off sale a policy is not
 * answered, and stays all the same.
 */
export function standOf({ level, policy }: Pick<PlaceKnown, "level" | "policy">): Stand {
  if (level === undefined) return NOTHING;
  const { onHand, reserved, num, version, deletedAt } = level;
  return {
    onHand,
    reserved,
    safetyStock: onHand - reserved - num,
    backorderMax: policy?.backorderMax ?? 0,
    version: Number(version),
    deleted: deletedAt !== undefined,
  };
}

/** What people call it. */
export function nameOf(goodsId: number, level: ListedLevel | undefined, byId: (id: number) => string): string {
  return level === undefined || level.sku === "" ? byId(goodsId) : level.sku;
}
