/** What the list shows, as it stands in the URL: a link shows the same list, and going back shows the one before. */
import { INT32_MAX } from "../parts/written_numbers.ts";

/** What the list can be sorted by. */
export const SORTS = ["goods", "sku", "available", "reserved", "safety", "on_hand", "changed"] as const;
export type Sort = (typeof SORTS)[number];

/** What the page is for: looking, setting quantities, or entering counts. */
export const MODES = ["view", "edit", "count"] as const;
export type PageMode = (typeof MODES)[number];

/** Whether deleted goods are listed. */
export const DELETED = ["no", "only", "all"] as const;
export type Deleted = (typeof DELETED)[number];

/** Filters, all of which a row meets, the sort, and the mode. */
export interface ListState {
  /** The beginning of a SKU, or a goods id; empty: no search. */
  readonly search: string;
  readonly isLow: boolean;
  readonly isSoldOut: boolean;
  readonly hasHolds: boolean;
  /** Changed within so long: "1h" to "999d". */
  readonly since: string | undefined;
  /** In any of these; none: anywhere. Sorted, each once. */
  readonly locationIds: readonly number[];
  readonly deleted: Deleted;
  readonly sort: Sort;
  readonly isDescending: boolean;
  readonly mode: PageMode;
}

const SEARCH_LENGTH_MAX = 64;
const LOCATIONS_MAX = 100;
const SINCE = /^([1-9]\d{0,2})([mhd])$/;
const MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** The state of a URL's parameters. What can't be read there is as if it were not there. */
export function readListState(params: URLSearchParams): ListState {
  const since = params.get("since") ?? "";
  const isChanged = SINCE.test(since);
  const asked = params.get("sort") ?? "";
  const sort = oneOf(SORTS, asked.replace(/^-/, ""));
  return {
    search: [...(params.get("q") ?? "").trim()].slice(0, SEARCH_LENGTH_MAX).join(""),
    isLow: params.has("low"),
    isSoldOut: params.has("soldout"),
    hasHolds: params.has("holds"),
    since: isChanged ? since : undefined,
    locationIds: readLocations(params.get("at") ?? ""),
    deleted: oneOf(DELETED, params.get("deleted") ?? "") ?? "no",
    ...(sort === undefined ? usualSort(isChanged) : { sort, isDescending: asked.startsWith("-") }),
    mode: oneOf(MODES, params.get("mode") ?? "") ?? "view",
  };
}

/** The parameters of a state. What is as usual is left out, so that equal states have equal URLs. */
export function listParams(state: ListState): URLSearchParams {
  const params = new URLSearchParams();
  if (state.search !== "") params.set("q", state.search);
  if (state.isLow) params.set("low", "1");
  if (state.isSoldOut) params.set("soldout", "1");
  if (state.hasHolds) params.set("holds", "1");
  if (state.since !== undefined) params.set("since", state.since);
  if (state.locationIds.length > 0) params.set("at", state.locationIds.join("."));
  if (state.deleted !== "no") params.set("deleted", state.deleted);
  const usual = usualSort(state.since !== undefined);
  if (state.sort !== usual.sort || state.isDescending !== usual.isDescending) {
    params.set("sort", `${state.isDescending ? "-" : ""}${state.sort}`);
  }
  if (state.mode !== "view") params.set("mode", state.mode);
  return params;
}

/** Whether any filter is set, so that an empty list is one of these filters. */
export function isFiltered(state: ListState): boolean {
  const { search, isLow, isSoldOut, hasHolds, since, locationIds, deleted } = state;
  return search !== "" || isLow || isSoldOut || hasHolds || since !== undefined || locationIds.length > 0 ||
    deleted !== "no";
}

/** Whether two states list the same rows in the same sequence, whatever the mode. */
export function listsTheSame(a: ListState, b: ListState): boolean {
  const withoutMode = (state: ListState) => listParams({ ...state, mode: "view" }).toString();
  return withoutMode(a) === withoutMode(b);
}

/** How long ago "changed since" begins, in ms; undefined without that filter. */
export function sinceMs({ since }: ListState): number | undefined {
  const [, count, unit] = SINCE.exec(since ?? "") ?? [];
  return unit === undefined ? undefined : Number(count) * MS[unit]!;
}

/** The locations of a text, as "1, 2 7"; what is no location id is left out. */
export function readLocations(text: string): readonly number[] {
  const ids = text.split(/[\s,.;，、]+/).filter((part) => /^\d{1,10}$/.test(part)).map(Number)
    .filter((id) => id <= INT32_MAX);
  return [...new Set(ids)].sort((a, b) => a - b).slice(0, LOCATIONS_MAX);
}

function usualSort(isChanged: boolean): { readonly sort: Sort; readonly isDescending: boolean } {
  return isChanged ? { sort: "changed", isDescending: true } : { sort: "goods", isDescending: false };
}

function oneOf<T extends string>(values: readonly T[], value: string): T | undefined {
  return values.find((one) => one === value);
}
