/** One goods at one location as the page knows it, read from the server. */
import { Code, ConnectError } from "@connectrpc/connect";
import { DeletedFilter, type ListedLevel } from "../../gen/inventory/v1/query_pb.ts";
import type { Policy } from "../../gen/inventory/v1/stock_pb.ts";
import type { Link } from "../link/link.ts";
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
  /** All locations of the goods, by their id. */
  readonly everywhere: readonly ListedLevel[];
}

/** Reads it. @throws ConnectError */
export async function readPlace(link: Link, goodsId: number, locationId: number): Promise<PlaceKnown> {
  const [{ levels }, policy] = await Promise.all([
    link.query.listInv({ goodsIds: [goodsId], deleted: DeletedFilter.INCLUDED, pageSize: LOCATIONS_MAX }),
    readPolicy(link, goodsId, locationId),
  ]);
  const level = levels.find((level) => level.locationId === locationId);
  return { goodsId, locationId, level, policy, everywhere: levels };
}

/** Reads its policy; undefined where none is set, or it is off sale. @throws ConnectError */
export async function readPolicy(link: Link, goodsId: number, locationId: number): Promise<Policy | undefined> {
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
