/**
 * Every operation there is, and the one place where its kind decides something. A new one is a file beside this one, a
 * kind in `model.ts`, a row in `states.ts` and a line here.
 */
import type { OperationKind } from "../model.ts";
import { ADJUST, type AdjustOperation } from "./adjust.ts";
import { CONFIRM, type ConfirmOperation } from "./confirm.ts";
import { COUNT, type CountOperation } from "./count.ts";
import { DELETE, type DeleteOperation, RESTORE, type RestoreOperation } from "./delete.ts";
import { EXPIRE, type ExpireOperation } from "./expire.ts";
import { EXTEND, type ExtendOperation } from "./extend.ts";
import { GIVE_BACK, type GiveBackOperation } from "./give_back.ts";
import { POLICY, type PolicyOperation } from "./policy.ts";
import { RELEASE, type ReleaseOperation } from "./release.ts";
import { RESERVE, type ReserveOperation } from "./reserve.ts";
import { ROLLBACK, type RollbackOperation } from "./rollback.ts";
import type { OperationRules } from "./rules.ts";
import { SELL, type SellOperation } from "./sell.ts";
import { SET, type SetOperation } from "./set.ts";
import { TRANSFER, type TransferOperation } from "./transfer.ts";

/** One change that a caller asks for. Every one has an id under which it is applied at most once. */
export type Operation =
  | SetOperation
  | SellOperation
  | RollbackOperation
  | GiveBackOperation
  | ReserveOperation
  | ExtendOperation
  | ConfirmOperation
  | ReleaseOperation
  | ExpireOperation
  | AdjustOperation
  | CountOperation
  | TransferOperation
  | PolicyOperation
  | DeleteOperation
  | RestoreOperation;

type RulesByKind = { readonly [K in OperationKind]: OperationRules<Extract<Operation, { kind: K }>> };

const RULES: RulesByKind = {
  set: SET,
  sell: SELL,
  rollback: ROLLBACK,
  give_back: GIVE_BACK,
  reserve: RESERVE,
  extend: EXTEND,
  confirm: CONFIRM,
  release: RELEASE,
  expire: EXPIRE,
  adjust: ADJUST,
  count: COUNT,
  transfer: TRANSFER,
  policy: POLICY,
  delete: DELETE,
  restore: RESTORE,
};

/** The rules of the operation's kind, to be asked about this operation. */
export function rulesOf({ kind }: Operation): OperationRules<Operation> {
  return RULES[kind];
}

/** The order whose record the operation may change; undefined: there is none. */
export function changedOrder(operation: Operation): string | undefined {
  return rulesOf(operation).changedOrder(operation);
}
