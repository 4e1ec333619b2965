/** What the four methods do: each scenario ends with a look at the levels. */
import {
  detail,
  fails,
  given,
  info,
  ok,
  order,
  part,
  same,
  type Scenario,
  set,
  sold,
  state,
  UUID_V7,
} from "./scenario.ts";

/** Each on goods of its own. */
export const APPLIED: readonly Scenario[] = [
  {
    name: "sets a level to exactly what is asked, and reads it",
    calls: (g) => [
      set(g, 10, 1),
      set(g, 10, 1),
      set(g, 4, 2),
      set(g, 0, 3),
      detail(g, 0, 3),
    ],
  },
  {
    name: "sells all lines of an order, merged, and once",
    calls: (g) => [
      set(g, 10, 1),
      set(g + 1, 10, 1),
      ok("Sell", order(`${g}`, [g + 1, 2], [g, 1], [g + 1, 1]), sold(`${g}`, [g, 1], [g + 1, 3])),
      same("Sell", order(`${g}`, [g + 1, 2], [g, 1], [g + 1, 1])),
      same("Sell", order(`${g}`, [g, 1], [g + 1, 3])),
      detail(g, 9, 2),
      detail(g + 1, 7, 2),
    ],
  },
  {
    name: "makes an id for an order without one, so that each call is a new order",
    calls: (g) => [
      set(g, 10, 1),
      ok("Sell", order("", [g, 3]), sold(UUID_V7, [g, 3])),
      ok("Sell", order("", [g, 3]), sold(UUID_V7, [g, 3])),
      detail(g, 4, 3),
    ],
  },
  {
    name: "gives back a whole order, once, and never sells it again",
    calls: (g) => [
      set(g, 10, 1),
      ok("Sell", order(`${g}`, [g, 3]), sold(`${g}`, [g, 3])),
      ok("Rollback", order(`${g}`), given(`${g}`, [g, 3])),
      same("Rollback", order(`${g}`)),
      same("Rollback", order(`${g}`, [g, 3])),
      fails("Sell", order(`${g}`, [g, 3]), "FAILED_PRECONDITION", state(`${g}`, "ORDER_STATE_ROLLED_BACK")),
      detail(g, 10, 3),
    ],
  },
  {
    name: "gives back a part of an order, once, then the rest",
    calls: (g) => [
      set(g, 10, 1),
      ok("Sell", order(`${g}`, [g, 3]), sold(`${g}`, [g, 3])),
      ok("Rollback", order(`${g}`, [g, 1]), given(`${g}`, [g, 1])),
      same("Rollback", order(`${g}`, [g, 1])),
      detail(g, 8, 3),
      ok("Rollback", order(`${g}`), given(`${g}`, [g, 2])),
      detail(g, 10, 4),
    ],
  },
  {
    name: "distinguishes equal parts of an order by their rollback ids",
    notInArticle: "no rollback id",
    calls: (g) => [
      set(g, 10, 1),
      ok("Sell", order(`${g}`, [g, 3]), sold(`${g}`, [g, 3])),
      ok("Rollback", part(`${g}`, `${g}-a`, [g, 1]), given(`${g}`, [g, 1], `${g}-a`)),
      same("Rollback", part(`${g}`, `${g}-a`, [g, 1])),
      ok("Rollback", part(`${g}`, `${g}-b`, [g, 1]), given(`${g}`, [g, 1], `${g}-b`)),
      detail(g, 9, 4),
      fails(
        "Rollback",
        part(`${g}`, `${g}-a`, [g, 2]),
        "ALREADY_EXISTS",
        info("CONTENT_DIFFERS", {
          field: "rollback_id",
          rollback_id: `${g}-a`,
          differences: `goods ${g} had num 1, now 2`,
        }),
      ),
      detail(g, 9, 4),
    ],
  },
  {
    name: "bars the sell of an order that is rolled back first",
    calls: (g) => [
      set(g, 10, 1),
      ok("Rollback", order(`${g}`), given(`${g}`)),
      same("Rollback", order(`${g}`)),
      fails("Sell", order(`${g}`, [g, 3]), "FAILED_PRECONDITION", state(`${g}`, "ORDER_STATE_BARRED")),
      detail(g, 10, 1),
    ],
  },
  {
    name: "gives back lines that belong to no order",
    calls: (g) => [
      set(g, 10, 1),
      ok("Rollback", order("", [g, 3]), given("", [g, 3], UUID_V7)),
      detail(g, 13, 2),
    ],
  },
];
