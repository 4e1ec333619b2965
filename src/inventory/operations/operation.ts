/**
 * Every operation there is, and the one place where its kind decides something. A new one is a file beside this one, a
 * kind in `model.ts`, a row in `states.ts` and a line here.
 */
import type { OperationKind } from "../model.ts";
import { GIVE_BACK, type GiveBackOperation } from "./give_back.ts";
import { ROLLBACK, type RollbackOperation } from "./rollback.ts";
import type { OperationRules } from "./rules.ts";
import { SELL, type SellOperation } from "./sell.ts";
import { SET, type SetOperation } from "./set.ts";

/** One change that a caller asks for. Every one has an id under which it is applied at most once. */
export type Operation = SetOperation | SellOperation | RollbackOperation | GiveBackOperation;

type RulesByKind = { readonly [K in OperationKind]: OperationRules<Extract<Operation, { kind: K }>> };

const RULES: RulesByKind = { set: SET, sell: SELL, rollback: ROLLBACK, give_back: GIVE_BACK };

/** The rules of the operation's kind, to be asked about this operation. */
export function rulesOf({ kind }: Operation): OperationRules<Operation> {
  return RULES[kind];
}

/**
 * The order that the operation may change, which has to be read before its goods are known; undefined: there is none.
 */
export function changedOrder(operation: Operation): string | undefined {
  return rulesOf(operation).changedOrder(operation);
}
