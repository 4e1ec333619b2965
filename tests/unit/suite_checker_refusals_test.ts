/** The fault suite's checker on refusals: each reason is given once where it is not true, and caught. */
import type { Call } from "../faults/suite/history.ts";
import {
  back,
  calls,
  type Case,
  catches,
  debug,
  detail,
  refusedWith,
  sell,
  set,
  shortOf,
  wholeOrder,
} from "../support/spoilt_run.ts";

const CASES: readonly Case[] = [
  ["short of stock that there was", /at none of versions/, (run) => debug(run, sell("b", [1, 20]), { available: 9 })],
  ["short of what was not asked for", /asked for were 20/, (run) => debug(run, sell("b", [1, 20]), { asked: 30 })],
  ["not short at all", /asked for were/, (run) => debug(run, sell("b", [1, 20]), { available: 20 })],
  ["short of stock when it was sold already", /at none of versions/, (run) =>
    calls(run, wholeOrder, () => ({
      answer: {
        outcome: "refused",
        code: "failed_precondition",
        details: [
          { type: "inventory.v1.ShortStock", debug: { goodsId: 1, asked: 2, available: 1 } },
          { type: "inventory.v1.ShortStock", debug: { goodsId: 2, asked: 1, available: 0 } },
        ],
      },
    }), 1)],
  [
    "a goods is unknown that was known",
    /was at version/,
    (run) => calls(run, detail(1), () => ({ answer: run.history.calls[0]!.answer }), 1),
  ],
  [
    "an order is barred that is not",
    /it is rolled_back/,
    (run) => debug(run, wholeOrder, { state: "ORDER_STATE_BARRED" }, 2),
  ],
  [
    "an order was barred before anybody asked",
    /before anybody rolled it back/,
    (run) => calls(run, sell("late", [1, 1]), () => ({ invokedMs: 20, answeredMs: 22 })),
  ],
  [
    "more than was sold, which it was not",
    /to give back at none/,
    (run) => debug(run, back("a", "too-much", [1, 5]), { returnable: 0 }),
  ],
  [
    "used with other lines, which it was not",
    /which it was not/,
    (run) =>
      calls(run, sell("f", [1, 1], [2, 2]), () => ({
        answer: { outcome: "refused", code: "already_exists", details: [{ type: "google.rpc.ErrorInfo", debug: {} }] },
      })),
  ],
  [
    "refused without a reason that can be read",
    /details that explain nothing/,
    (run) =>
      calls(
        run,
        sell("b", [1, 20]),
        () => ({ answer: { outcome: "refused", code: "failed_precondition", details: [] } }),
      ),
  ],
  [
    "a read is short of stock",
    /refused, as short of stock/,
    (run) => calls(run, detail(2), () => ({ answer: shortOf(1, 2, 0) })),
  ],
  [
    "a rollback of an order in a state",
    /refused, because the order is/,
    (run) =>
      calls(
        run,
        back("a"),
        () => ({ answer: refusedWith("inventory.v1.OrderStateConflict", { state: "ORDER_STATE_HELD" }) }),
      ),
  ],
  [
    "a sell of more than was sold",
    /refused, as more than was sold$/,
    (run) => calls(run, sell("f", [1, 1], [2, 2]), () => ({ answer: refusedWith("inventory.v1.ExceedsSold", {}) })),
  ],
  [
    "a set under a used id",
    /refused, as used with other content$/,
    (run) => calls(run, set(2, 7), () => ({ answer: refusedWith("google.rpc.ErrorInfo", {}, "already_exists") })),
  ],
  [
    "short of stock when it was barred",
    /when the order was barred/,
    (run) => calls(run, sell("late", [1, 1]), () => ({ answer: shortOf(1, 1, 0) })),
  ],
  ["short of one goods, and silent about the other", /but not for goods 2/, (run) => {
    const request = sell("both", [1, 20], [2, 20]);
    const call: Call = { ...run.history.calls.at(-1)!, request, answer: shortOf(1, 20, run.tables.stock[0]!.onHand) };
    return { ...run, history: { calls: [...run.history.calls, { ...call, invokedMs: 900, answeredMs: 902 }] } };
  }],
  [
    "short of a goods that was not asked for",
    /for goods 9, which it did not ask for/,
    (run) =>
      calls(run, sell("b", [1, 20]), ({ answer }) => ({
        answer: answer.outcome === "refused"
          ? { ...answer, details: [...answer.details, { type: "inventory.v1.ShortStock", debug: { goodsId: 9 } }] }
          : answer,
      })),
  ],
  [
    "a goods unknown to a set",
    /refused, because a goods is unknown/,
    (run) => calls(run, set(2, 7), () => ({ answer: run.history.calls[0]!.answer })),
  ],
  [
    "a goods unknown that was not asked for",
    /unknown, which it did not ask for/,
    (run) => calls(run, detail(2), () => ({ answer: run.history.calls[0]!.answer })),
  ],
  [
    "too large for a sell",
    /refused, because a quantity would be too large$/,
    (run) =>
      calls(run, sell("b", [1, 20]), () => ({ answer: refusedWith("google.rpc.ErrorInfo", {}, "out_of_range") })),
  ],
  [
    "too large for a set that is small",
    /too large, which it would never have been/,
    (run) => calls(run, set(2, 7), () => ({ answer: refusedWith("google.rpc.ErrorInfo", {}, "out_of_range") })),
  ],
  [
    "more than was sold of what never was",
    /of an order that was never sold/,
    (run) =>
      calls(run, back("late"), () => ({ answer: refusedWith("inventory.v1.ExceedsSold", { goodsId: 1, asked: 1 }) })),
  ],
  [
    "more than was sold, for what was not asked",
    /to give back for 6; asked for were 5/,
    (run) => debug(run, back("a", "too-much", [1, 5]), { asked: 6 }),
  ],
];

catches(CASES);
