/** Slips in the tables and in the rights of the server's role. */
import type { Slip } from "../plant.ts";

const TABLES = {
  file: "migrations/20261122000001_stock_orders_movements.sql",
  tests: ["tests/integration/schema_rules_test.ts"],
};

export const MIGRATION_SLIPS: readonly Slip[] = [
  {
    ...TABLES,
    find: "cardinality(goods_ids) = cardinality(nums) and cardinality(nums) = cardinality(returned)",
    replace: "cardinality(goods_ids) = cardinality(nums)",
    rule: "an order's arrays have one length",
  },
  {
    ...TABLES,
    find: "kind not in ('sell', 'rollback') or order_id is not null",
    replace: "kind <> 'rollback' or order_id is not null",
    rule: "a sale names its order",
  },
  {
    ...TABLES,
    find: "grant update (state, returned, expires_at, updated_at) on orders",
    replace: "grant update on orders",
    rule: "the server rewrites no order's id and time",
  },
  {
    ...TABLES,
    find: "grant select, insert on stock, orders, operations, movements to",
    replace: "grant select, insert, delete on stock, orders, operations, movements to",
    rule: "the server deletes nothing",
  },
  {
    ...TABLES,
    find: "check (0 <= reserved_after and reserved_after <= on_hand_after)",
    replace: "check (reserved_after <= on_hand_after)",
    rule: "what a movement leaves reserved is not negative",
  },
  {
    ...TABLES,
    find: "check (state <> 'rolled_back' or returned = nums)",
    replace: "check (state <> 'rolled_back' or cardinality(returned) > 0)",
    rule: "of an order that is rolled back all came back",
  },
];
