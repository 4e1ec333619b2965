/** What the page of one goods shows, as its address says it. Pure. */
import { MovementKind } from "../../gen/inventory/v1/query_pb.ts";
import { dayOf } from "../parts/days.ts";
import { INT32_MAX } from "../parts/written_numbers.ts";
import { type Zoom, ZOOMS } from "./level_over_time.ts";

/** Which movements the history lists. */
export interface HistoryFilter {
  readonly actor: string;
  readonly reason: string;
  /** None: of all kinds. */
  readonly kinds: readonly MovementKind[];
  /** Days, the first and the last; absent: no bound. */
  readonly since?: string;
  readonly until?: string;
}

/** State of the page. */
export interface GoodsView {
  readonly goodsId: number;
  readonly locationId: number;
  readonly zoom: Zoom;
  readonly filter: HistoryFilter;
}

/** All kinds there are. */
export const KINDS: readonly MovementKind[] = Object.values(MovementKind).filter((kind): kind is MovementKind =>
  typeof kind === "number" && kind !== MovementKind.UNSPECIFIED
);

/** Of no filter. */
export const NO_FILTER: HistoryFilter = { actor: "", reason: "", kinds: [] };

/** What the address says; undefined where the id is that of no goods. What it says wrongly is left out. */
export function readGoodsView(id: string, query: URLSearchParams): GoodsView | undefined {
  const goodsId = whole(id);
  if (goodsId === undefined || goodsId === 0) return undefined;
  const kinds = (query.get("kind") ?? "").split(",")
    .map((name) => KINDS.find((kind) => kindName(kind) === name))
    .filter((kind) => kind !== undefined);
  const since = dayOf(query.get("since"));
  const until = dayOf(query.get("until"));
  return {
    goodsId,
    locationId: whole(query.get("location") ?? "0") ?? 0,
    zoom: ZOOMS.find((zoom) => zoom === query.get("zoom")) ?? "week",
    filter: {
      actor: query.get("actor") ?? "",
      reason: query.get("reason") ?? "",
      kinds: [...new Set(kinds)],
      ...(since === undefined ? {} : { since }),
      ...(until === undefined ? {} : { until }),
    },
  };
}

/** The address of it, without what is as it is anyhow. */
export function goodsAddress({ goodsId, locationId, zoom, filter }: GoodsView): string {
  const query = new URLSearchParams();
  if (locationId !== 0) query.set("location", `${locationId}`);
  if (zoom !== "week") query.set("zoom", zoom);
  if (filter.actor !== "") query.set("actor", filter.actor);
  if (filter.reason !== "") query.set("reason", filter.reason);
  if (filter.kinds.length > 0) query.set("kind", filter.kinds.map(kindName).join(","));
  if (filter.since !== undefined) query.set("since", filter.since);
  if (filter.until !== undefined) query.set("until", filter.until);
  return `/goods/${goodsId}${query.size === 0 ? "" : `?${query}`}`;
}

/** A kind as addresses name it. */
export function kindName(kind: MovementKind): string {
  return (MovementKind[kind] ?? "").toLowerCase();
}

function whole(text: string): number | undefined {
  return /^\d{1,10}$/.test(text) && Number(text) <= INT32_MAX ? Number(text) : undefined;
}
