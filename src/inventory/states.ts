/**
 * What an operation comes to on an order in each state: all transitions, and all refusals for a state.
 *
 *     (no such order) --sell-----------------> sold
 *     (no such order) --rollback-------------> barred         its sell, should it come, is refused
 *     sold            --rollback of a part---> sold
 *     sold            --rollback of the rest-> rolled_back
 *     rolled_back     --rollback-------------> rolled_back    nothing is left to give back
 *     barred          --rollback-------------> barred
 *
 * No operation leads into `held`, `released` or `expired` yet, or out of them.
 */
import { InvariantError } from "../base/invariant.ts";
import type { OperationKind, OrderState } from "./model.ts";

/** It does not look at any order. */
export const UNTOUCHED = "untouched";
/** It is refused for the order's state. */
export const REFUSED = "refused";
/** It was applied before, and is answered as it was then. */
export const REPEATED = "repeated";

/** One cell: one of the words above, or, where other rules allow it, the states in which the order then may be. */
export type StateRule = typeof UNTOUCHED | typeof REFUSED | typeof REPEATED | readonly OrderState[];

/** An order's state, or that there is no such order. */
export type StateOrNone = OrderState | "none";

/** The row of operations that look at no order. */
const OF_NO_ORDER: Readonly<Record<StateOrNone, StateRule>> = {
  none: UNTOUCHED,
  held: UNTOUCHED,
  sold: UNTOUCHED,
  released: UNTOUCHED,
  expired: UNTOUCHED,
  rolled_back: UNTOUCHED,
  barred: UNTOUCHED,
};

/** By operation, by the state of the order. */
export const STATE_RULES: Readonly<Record<OperationKind, Readonly<Record<StateOrNone, StateRule>>>> = {
  set: OF_NO_ORDER,
  sell: {
    none: ["sold"],
    held: REFUSED,
    sold: REPEATED,
    released: REFUSED,
    expired: REFUSED,
    rolled_back: REFUSED,
    barred: REFUSED,
  },
  rollback: {
    none: ["barred"],
    held: REFUSED,
    sold: ["sold", "rolled_back"],
    released: REFUSED,
    expired: REFUSED,
    rolled_back: ["rolled_back"],
    barred: ["barred"],
  },
  give_back: OF_NO_ORDER,
};

/** The rule for an order in this state. Throws InvariantError for a state that is none of ours. */
export function stateRule(kind: OperationKind, state: StateOrNone = "none"): StateRule {
  const rule = STATE_RULES[kind][state] as StateRule | undefined;
  if (rule === undefined) throw new InvariantError(`there is no rule for a ${kind} of an order that is ${state}`);
  return rule;
}

/** Throws InvariantError if the operation must not lead the order from the one state to the other. */
export function checkTransition(kind: OperationKind, from: StateOrNone = "none", to: OrderState): void {
  const rule = stateRule(kind, from);
  if (typeof rule !== "string" && rule.includes(to)) return;
  throw new InvariantError(`a ${kind} must not lead an order from ${from} to ${to}`);
}
