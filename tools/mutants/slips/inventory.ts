/** Slips in the rules of stock. */
import type { Slip } from "../plant.ts";

const DECIDE = { file: "src/inventory/decide.ts", tests: ["tests/unit/decide_test.ts", "tests/unit/settle_test.ts"] };
const SETTLE = { file: "src/inventory/settle.ts", tests: ["tests/unit/settle_test.ts"] };

export const INVENTORY_SLIPS: readonly Slip[] = [
  {
    ...DECIDE,
    find: ".filter(({ asked, available }) => asked > available);",
    replace: ".filter(({ asked, available }) => asked >= available);",
    rule: "the last unit can be sold",
  },
  {
    ...DECIDE,
    find: `if (known.state !== "sold") return refused`,
    replace: `if (known.state === "barred") return refused`,
    rule: "an order that was rolled back is not answered as sold",
  },
  {
    ...DECIDE,
    find: "(snapshot.levels.get(goodsId)?.onHand ?? 0) + num > INT32_MAX",
    replace: "(snapshot.levels.get(goodsId)?.onHand ?? 0) + num >= INT32_MAX",
    rule: "what comes back may fill a goods up to int32's largest",
  },
  {
    ...DECIDE,
    find: "const onHand = num + (level?.reserved ?? 0);",
    replace: "const onHand = num;",
    rule: "a set makes so much available, beside what is reserved",
  },
  {
    ...DECIDE,
    find: "return level === undefined ? 0 : level.onHand - level.reserved;",
    replace: "return level === undefined ? 0 : level.onHand;",
    rule: "what is reserved is not sold",
  },
  {
    ...DECIDE,
    find: "returned[i] === num);",
    replace: "(returned[i] ?? 0) > 0);",
    rule: "an order is rolled back once all of it came back, and not earlier",
  },
  {
    ...SETTLE,
    find: `salesOnly &&= operation.kind === "sell";`,
    replace: `salesOnly &&= operation.kind !== "rollback";`,
    rule: "no sale leans on units that come back in the same batch, in whatever way they do",
  },
  {
    ...SETTLE,
    find: `deleted: movement.kind !== "set" && before?.deleted === true,`,
    replace: "deleted: before?.deleted === true,",
    rule: "setting its quantity opens a goods that is no longer sold, for the rest of the batch too",
  },
  {
    file: "src/inventory/lines.ts",
    find: "nums.set(goodsId, (nums.get(goodsId) ?? 0) + num);",
    replace: "nums.set(goodsId, num);",
    rule: "lines of one goods add up",
    tests: ["tests/unit/lines_test.ts"],
  },
  {
    file: "src/inventory/ids.ts",
    find: "new Set([derivedRollbackId(orderId, []), derivedRollbackId(orderId, lines)])",
    replace: "new Set([derivedRollbackId(orderId, lines)])",
    rule: "a rollback without an id is looked for under both ids that it may have",
    tests: ["tests/unit/ids_test.ts"],
  },
];
