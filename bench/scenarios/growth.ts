/**
 * Whether Holdfast slows down as its tables grow. Always the same load, sales of a thousand goods, which lie evenly
 * spread over however many the table has: with more goods to sell callers would also meet less often, and the two
 * could not be distinguished.
 */
import type { Sizes } from "../sizes.ts";
import { CALLERS, GOODS, PICTURE_TIMES, type Scenario, SIDE_TIMES } from "./scenario.ts";

const SOLD_GOODS = 1_000;
const LINES = [10, 100] as const;

const GROWTH = {
  group: "growth",
  kind: "stock",
  processes: 1,
  callers: CALLERS,
  unit: "orders/s",
  ...SIDE_TIMES,
} as const;

/** Goods in the table, movements in the ledger, lines in an order. */
export function growth({ goods, movements }: Sizes): readonly Scenario[] {
  return [
    ...goods.map((count): Scenario => ({
      ...GROWTH,
      id: `growth/goods/${count}`,
      title: `${count.toLocaleString("en")} goods in the table, ledger empty`,
      database: `goods_${count}`,
      workload: { goods: SOLD_GOODS, stride: count / SOLD_GOODS, spread: "uniform", lines: 1 },
    })),
    {
      ...GROWTH,
      id: `growth/ledger/${movements}`,
      title: `1,000 goods in the table, ledger of ${movements.toLocaleString("en")} movements`,
      database: `ledger_${movements}`,
      workload: { goods: SOLD_GOODS, stride: 1, spread: "uniform", lines: 1 },
    },
    ...LINES.map((lines): Scenario => ({
      ...GROWTH,
      ...PICTURE_TIMES,
      id: `growth/lines/${lines}`,
      title: `${lines}-line orders of 10,000 goods`,
      database: "stock",
      workload: { goods: GOODS, stride: 1, spread: "uniform", lines },
    })),
  ];
}
