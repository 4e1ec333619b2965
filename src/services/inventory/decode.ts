/**
 * One request as one operation: what a single call asks, and what each part of a batch asks. Every rule that a request
 * breaks is named at once, under the field names of the single call.
 */
import type { RollbackRequest, SellRequest, SetInvRequest } from "../../gen/inventory/v1/inventory_pb.ts";
import type { GiveBackOperation } from "../../inventory/operations/give_back.ts";
import type { Operation } from "../../inventory/operations/operation.ts";
import type { RollbackOperation } from "../../inventory/operations/rollback.ts";
import type { SellOperation } from "../../inventory/operations/sell.ts";
import type { SetOperation } from "../../inventory/operations/set.ts";
import type { Place } from "../../inventory/stock_key.ts";
import { Violations } from "../../rpc/errors.ts";
import { checkGoodsId, checkLocationId, readId, readLines } from "../validation.ts";

const ID_REQUIRED =
  "expected an id: without one a retry would be applied again, and this server has ORDER_ID_REQUIRED on";

/** What decoding needs to know. */
export interface RequestRules {
  /** Lines in one order. */
  readonly orderLinesMax: number;
  /** An order must have an id of its caller, and what is given back without an order too. */
  readonly orderIdRequired: boolean;
  /** Makes ids for orders and operations that the caller gave none: UUIDv7. */
  readonly newId: () => string;
}

/** An operation that a caller asks for. */
export interface Asked<O extends Operation = Operation> {
  readonly operation: O;
  /** Go into an error after which the caller must not send a new id; they matter where the server made them. */
  readonly ids?: Readonly<Record<string, string>>;
}

/** The operation that a Rollback asks for, and the ids that its answer names. */
export interface AskedRollback extends Asked<RollbackOperation | GiveBackOperation> {
  readonly named: { readonly orderId: string; readonly rollbackId: string };
}

/** @throws ConnectError INVALID_ARGUMENT */
export function decodeSet(
  { goodsId, locationId, num }: SetInvRequest,
  { newId }: RequestRules,
): Asked<SetOperation> {
  const violations = new Violations();
  checkGoodsId(violations, "goods_id", goodsId);
  checkLocationId(violations, "location_id", locationId);
  if (num < 0) violations.add("num", `expected a quantity of 0 or more, got ${num}`);
  violations.check();
  return { operation: { kind: "set", operationId: newId(), goodsId, locationId, num } };
}

/** What an InvDetail asks about. @throws ConnectError INVALID_ARGUMENT */
export function decodePlace({ goodsId, locationId }: Place): Place {
  const violations = new Violations();
  checkGoodsId(violations, "goods_id", goodsId);
  checkLocationId(violations, "location_id", locationId);
  violations.check();
  return { goodsId, locationId };
}

/** @throws ConnectError INVALID_ARGUMENT */
export function decodeSell(request: SellRequest, rules: RequestRules): Asked<SellOperation> {
  const { orderLinesMax, orderIdRequired, newId } = rules;
  const violations = new Violations();
  if (orderIdRequired && request.orderId === "") violations.add("order_id", ID_REQUIRED);
  const orderId = readId(violations, "order_id", request.orderId) ?? newId();
  const lines = readLines(violations, "goods_info", request.goodsInfo, { max: orderLinesMax, required: true });
  violations.check();
  return { operation: { kind: "sell", orderId, lines }, ids: { order_id: orderId } };
}

/** With an order_id a rollback of that order, without one lines to give back. @throws ConnectError INVALID_ARGUMENT */
export function decodeRollback(
  request: RollbackRequest,
  { orderLinesMax, orderIdRequired, newId }: RequestRules,
): AskedRollback {
  const violations = new Violations();
  const orderId = readId(violations, "order_id", request.orderId);
  const rollbackId = readId(violations, "rollback_id", request.rollbackId);
  const lines = readLines(violations, "goods_info", request.goodsInfo, { max: orderLinesMax, required: false });
  if (orderId === undefined && request.goodsInfo.length === 0) {
    violations.add("order_id", "expected an order_id, or at least one line in goods_info");
  } else if (orderIdRequired && orderId === undefined && rollbackId === undefined) {
    violations.add("rollback_id", ID_REQUIRED);
  }
  violations.check();
  if (orderId !== undefined) {
    return {
      operation: { kind: "rollback", rollbackId, orderId, lines },
      named: { orderId, rollbackId: rollbackId ?? "" },
    };
  }
  const operationId = rollbackId ?? newId();
  return {
    operation: { kind: "give_back", operationId, lines },
    ids: { rollback_id: operationId },
    named: { orderId: "", rollbackId: operationId },
  };
}
