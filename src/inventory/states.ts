/**
 * What an operation comes to on an order in each state: all transitions, and all refusals for a state.
 *
 *     (no such order) --sell-----------------> sold
 *     (no such order) --reserve--------------> held
 *     (no such order) --rollback, release----> barred         its sell or reserve, should it come, is refused
 *     held            --reserve, extend------> held           with other lines, with more time
 *     held            --confirm--------------> sold
 *     held            --release--------------> released
 *     held            --time-----------------> expired        no operation: see stateAt; `expire` only writes it down
 *     expired         --reserve--------------> held           a new hold
 *     expired         --confirm--------------> sold           where there is stock still
 *     expired         --confirm--------------> expired        where there is none, and that goes on record
 *     expired         --release--------------> released       from then on it can't be confirmed
 *     expired         --expire---------------> expired
 *     sold            --rollback of a part---> sold
 *     sold            --rollback of the rest-> rolled_back
 *     rolled_back     --rollback-------------> rolled_back    nothing is left to give back
 *     barred          --rollback-------------> barred
 */
import { InvariantError } from "../base/invariant.ts";
import type { OperationKind, Order, OrderState } from "./model.ts";

/** It does not look at any order. */
export const UNTOUCHED = "untouched";
/** It is refused for the order's state. */
export const REFUSED = "refused";
/** It was applied before, and is answered as it was then; nothing is left to do. */
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
  reserve: {
    none: ["held"],
    held: ["held"],
    sold: REFUSED,
    released: REFUSED,
    expired: ["held"],
    rolled_back: REFUSED,
    barred: REFUSED,
  },
  extend: {
    none: REFUSED,
    held: ["held"],
    sold: REFUSED,
    released: REFUSED,
    expired: REFUSED,
    rolled_back: REFUSED,
    barred: REFUSED,
  },
  confirm: {
    none: REFUSED,
    held: ["sold"],
    // Of an order that never was a hold, refused.
    sold: REPEATED,
    released: REFUSED,
    expired: ["sold", "expired"],
    rolled_back: REFUSED,
    barred: REFUSED,
  },
  release: {
    none: ["barred"],
    held: ["released"],
    sold: REFUSED,
    released: REPEATED,
    expired: ["released"],
    rolled_back: REFUSED,
    barred: REPEATED,
  },
  // The service's own: whatever else it finds, somebody was faster.
  expire: {
    none: REPEATED,
    held: REPEATED,
    sold: REPEATED,
    released: REPEATED,
    expired: ["expired"],
    rolled_back: REPEATED,
    barred: REPEATED,
  },
  adjust: OF_NO_ORDER,
  count: OF_NO_ORDER,
  transfer: OF_NO_ORDER,
  policy: OF_NO_ORDER,
  delete: OF_NO_ORDER,
  restore: OF_NO_ORDER,
};

/** The state that an order is in at a moment, in ms since 1970; undefined: there is none. */
export function stateAt(order: Order, atMs: number): OrderState;
export function stateAt(order: Order | undefined, atMs: number): OrderState | undefined;
export function stateAt(order: Order | undefined, atMs: number): OrderState | undefined {
  const isOver = order?.state === "held" && order.expiresAtMs !== undefined && order.expiresAtMs <= atMs;
  return isOver ? "expired" : order?.state;
}

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

/** States in which an order may be once the operation was applied to it, whatever has come after it. */
const FOLLOWING = new Map(
  (Object.keys(STATE_RULES) as OperationKind[]).map((kind) => [kind, closureOf(statesAfter(STATE_RULES[kind]))]),
);

/** Whether an order may be in this state because the operation was applied; false: it shows that it was not. */
export function mayFollow(kind: OperationKind, state: OrderState): boolean {
  return FOLLOWING.get(kind)?.has(state) === true;
}

function statesAfter(rules: Readonly<Record<StateOrNone, StateRule>>): OrderState[] {
  return Object.values(rules).flatMap((rule) => typeof rule === "string" ? [] : rule);
}

/** With all that operations, and time, lead to from there. */
function closureOf(states: readonly OrderState[]): ReadonlySet<OrderState> {
  const reached = new Set(states);
  // What is added meanwhile has its turn too.
  for (const state of reached) {
    if (state === "held") reached.add("expired");
    for (const rules of Object.values(STATE_RULES)) {
      const rule = rules[state];
      if (typeof rule !== "string") rule.forEach((next) => reached.add(next));
    }
  }
  return reached;
}
