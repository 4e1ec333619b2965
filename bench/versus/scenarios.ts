/** What both services are asked, in the sequence in which it is shown. Plain data. */

/** One kind of load. */
export interface VersusScenario {
  /** Unique; the key in the record. */
  readonly id: string;
  readonly title: string;
  readonly method: "InvDetail" | "Sell";
  /** Goods that are asked for: each has connections of its own. */
  readonly goods: number;
  /** Connections of each goods, and calls under way on each of these. */
  readonly connections: number;
  readonly streams: number;
  /** What Holdfast's rate is compared with: the best of the other's rates in these. */
  readonly against: readonly string[];
  /** What the ratio should be at the least. */
  readonly target: number;
}

/** Goods in both stocks. */
export const GOODS = 32;

/**
 * With very many callers the article's service sells next to nothing, as they are in each other's way: it is compared
 * at its best with as many goods.
 */
export const VERSUS_SCENARIOS: readonly VersusScenario[] = [
  {
    id: "inv_detail/32",
    title: "InvDetail, 32 callers",
    method: "InvDetail",
    goods: 1,
    connections: 4,
    streams: 8,
    against: ["inv_detail/32"],
    target: 1,
  },
  {
    id: "inv_detail/256",
    title: "InvDetail, 256 callers",
    method: "InvDetail",
    goods: 1,
    connections: 8,
    streams: 32,
    against: ["inv_detail/256"],
    target: 1,
  },
  {
    id: "sell/lone",
    title: "Sell, one caller",
    method: "Sell",
    goods: 1,
    connections: 1,
    streams: 1,
    against: ["sell/lone"],
    target: 1,
  },
  {
    id: "sell/one_goods/32",
    title: "Sell, one goods, 32 callers",
    method: "Sell",
    goods: 1,
    connections: 4,
    streams: 8,
    against: ["sell/one_goods/32"],
    target: 15,
  },
  {
    id: "sell/one_goods/256",
    title: "Sell, one goods, 256 callers",
    method: "Sell",
    goods: 1,
    connections: 8,
    streams: 32,
    against: ["sell/one_goods/32", "sell/one_goods/256"],
    target: 24,
  },
  {
    id: "sell/32_goods/32",
    title: "Sell, 32 goods, 32 callers on 32 connections",
    method: "Sell",
    goods: GOODS,
    connections: 1,
    streams: 1,
    against: ["sell/32_goods/32"],
    target: 2.5,
  },
  {
    id: "sell/32_goods/256",
    title: "Sell, 32 goods, 256 callers on 32 connections",
    method: "Sell",
    goods: GOODS,
    connections: 1,
    streams: 8,
    against: ["sell/32_goods/32", "sell/32_goods/256"],
    target: 8.2,
  },
];
