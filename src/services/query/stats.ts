/** GetStats: its request as days, goods and a page, and what was found as a message. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { GetStatsRequest, TurnoverSchema } from "../../gen/inventory/v1/query_pb.ts";
import { INT32_MAX } from "../../inventory/model.ts";
import type { LevelQuery } from "../../inventory/queries.ts";
import type { TurnoverPage, TurnoverQuery, TurnoverRows } from "../../inventory/stats.ts";
import { Violations } from "../../rpc/errors.ts";
import { type PagedList, pageToken } from "../page_token.ts";
import { checkGoodsId, checkLocationId } from "../validation.ts";
import { dayOf, dayText, LAST_DAY, TimeZone } from "./days.ts";
import { checkMax, GOODS_MAX, LOCATIONS_MAX, readPage, sortedSet } from "./decode.ts";

/** Days where nobody says from which on, and at most. */
const DAYS = 30;
const DAYS_MAX = 366;
/** Days that one page looks at: of all goods, and of those that are named, of which there are fewer movements. */
const DAYS_OF_ALL_MAX = 7;
const DAYS_OF_GOODS_MAX = 14;
/** Follows on every goods: the page goes on with the day before. */
const AFTER_ALL_GOODS = INT32_MAX;

/** The days of a whole walk, by days since 1970. */
interface Days {
  readonly first: number;
  readonly last: number;
}

/** What a GetStats asks for. */
export interface AskedStats {
  readonly query: TurnoverQuery;
  readonly page: TurnoverPage;
  /** Whatever totals are of. */
  readonly levels: LevelQuery;
  readonly isFirst: boolean;
  readonly list: PagedList;
  readonly days: Days;
  /** The earliest day that this page looks at. */
  readonly from: number;
}

/** What a GetStats asks for. @throws ConnectError INVALID_ARGUMENT */
export function decodeGetStats(request: GetStatsRequest, nowMs: number): AskedStats {
  const violations = new Violations();
  const { firstDay, lastDay, timeZone, daysOnly } = request;
  request.goodsIds.forEach((goodsId, i) => checkGoodsId(violations, `goods_ids[${i}]`, goodsId));
  request.locationIds.forEach((locationId, i) => checkLocationId(violations, `location_ids[${i}]`, locationId));
  checkMax(violations, "goods_ids", request.goodsIds.length, GOODS_MAX);
  checkMax(violations, "location_ids", request.locationIds.length, LOCATIONS_MAX);
  const filters = {
    ...(request.goodsIds.length === 0 ? {} : { goodsIds: sortedSet(request.goodsIds) }),
    ...(request.locationIds.length === 0 ? {} : { locationIds: sortedSet(request.locationIds) }),
  };
  const zone = readTimeZone(violations, timeZone);
  const askedDays = readDays(violations, firstDay, lastDay, zone.dayAt(nowMs));
  // Today is another day on a later page, but the walk goes on through the days that it began with.
  const list = { name: "GetStats", query: { ...filters, firstDay, lastDay, timeZone, daysOnly } };
  const { page } = readPage(violations, request, { list, shape: ["integer", "integer", "integer", "integer"] });
  const [first, last, day, goodsId] = (page.after ?? [askedDays.first, askedDays.last, askedDays.last, 0]) as Key;
  const top = goodsId === AFTER_ALL_GOODS ? day - 1 : day;
  // Whoever makes a token up may write any numbers into it.
  if (!(first <= top && top <= last && last - first < DAYS_MAX && last <= LAST_DAY && goodsId <= INT32_MAX)) {
    violations.add("page_token", "expected a token that this list answered, got one of other days");
  }
  violations.check();
  const from = Math.max(first, top - (request.goodsIds.length === 0 ? DAYS_OF_ALL_MAX : DAYS_OF_GOODS_MAX) + 1);
  const startsUs = Array.from({ length: top - from + 2 }, (_, i) => zone.begin(from + i) * 1000);
  return {
    query: { ...filters, isByGoods: !daysOnly, startsUs },
    page: { size: page.size, afterGoodsId: goodsId === AFTER_ALL_GOODS ? 0 : goodsId },
    levels: { ...filters, deleted: "excluded", sort: "goods", isDescending: false },
    isFirst: page.after === undefined,
    list,
    days: { first, last },
    from,
  };
}

/** The same for the first of its days alone, where they are too much together; undefined: it is one. */
export function firstDayOf(asked: AskedStats): AskedStats | undefined {
  const { startsUs } = asked.query;
  if (startsUs.length === 2) return undefined;
  return {
    ...asked,
    query: { ...asked.query, startsUs: startsUs.slice(-2) },
    from: asked.from + startsUs.length - 2,
  };
}

type Key = readonly [first: number, last: number, day: number, goodsId: number];

/** A page of what was turned over. */
export function turnoverAnswer(
  { list, days: { first, last }, from, query }: AskedStats,
  { rows, more }: TurnoverRows,
): { readonly turnover: MessageInitShape<typeof TurnoverSchema>[]; readonly nextPageToken: string } {
  const end = rows.at(-1);
  const next: Key | undefined = more && end !== undefined
    ? [first, last, from + end.day, query.isByGoods ? end.goodsId : AFTER_ALL_GOODS]
    : from > first
    ? [first, last, from, AFTER_ALL_GOODS]
    : undefined;
  return {
    turnover: rows.map(({ day, ...row }) => ({ day: dayText(from + day), ...row })),
    nextPageToken: next === undefined ? "" : pageToken(list, next),
  };
}

function readTimeZone(violations: Violations, name: string): TimeZone {
  try {
    return new TimeZone(name === "" ? "UTC" : name);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    violations.add("time_zone", `expected the name of a time zone, as "Asia/Shanghai", got ${shown(name)}`);
    return new TimeZone("UTC");
  }
}

/** What is wrong is a violation; the other rules are looked at as if it were not there. */
function readDays(violations: Violations, firstDay: string, lastDay: string, today: number): Days {
  const last = readDay(violations, "last_day", lastDay) ?? today;
  const first = readDay(violations, "first_day", firstDay) ?? Math.max(0, last - DAYS + 1);
  if (first > last) {
    violations.add("first_day", `expected ${dayText(last)}, the last day, or one before, got ${dayText(first)}`);
  } else if (last - first >= DAYS_MAX) {
    violations.add("first_day", `expected at most ${DAYS_MAX} days, got ${last - first + 1}`);
  } else return { first, last };
  return { first: last, last };
}

function readDay(violations: Violations, field: string, text: string): number | undefined {
  if (text === "") return undefined;
  const day = dayOf(text);
  if (day === undefined) {
    violations.add(field, `expected a day of the years 1970 to 2254, as 2026-01-31, got ${shown(text)}`);
  }
  return day;
}

/** Of what a caller has sent, as much as an error may say. */
function shown(text: string): string {
  return JSON.stringify(text.length <= 40 ? text : `${text.slice(0, 40)}…`);
}
