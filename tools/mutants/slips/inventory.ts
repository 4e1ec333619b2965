/** Slips in the rules of stock. */
import type { Slip } from "../plant.ts";

const OPERATIONS = "src/inventory/operations";
const RULE_TESTS = ["tests/unit/decide_test.ts", "tests/unit/settle_test.ts"];
const LEVELS = { file: "src/inventory/levels.ts", tests: RULE_TESTS };
const SET = { file: `${OPERATIONS}/set.ts`, tests: RULE_TESTS };
const EXPECTED = { file: `${OPERATIONS}/expected.ts`, tests: RULE_TESTS };
const SELL = { file: `${OPERATIONS}/sell.ts`, tests: RULE_TESTS };
const TAKE = { file: `${OPERATIONS}/take.ts`, tests: RULE_TESTS };
const ROLLBACK = { file: `${OPERATIONS}/rollback.ts`, tests: RULE_TESTS };
const SETTLE = { file: "src/inventory/settle.ts", tests: ["tests/unit/settle_test.ts"] };
const STATES = { file: "src/inventory/states.ts", tests: ["tests/unit/states_test.ts"] };

export const INVENTORY_SLIPS: readonly Slip[] = [
  {
    ...SET,
    find: "(expectedVersion ?? level?.version ?? 0) !== (level?.version ?? 0) || ",
    replace: "",
    rule: "a level is set only at the version that is expected",
  },
  {
    ...SET,
    find: " || (expectedNum ?? stood) !== stood",
    replace: "",
    rule: "a level is set only at the quantity that is expected",
  },
  {
    ...EXPECTED,
    find: "if ((level?.version ?? 0) !== version)",
    replace: "if ((level?.version ?? 0) < version)",
    rule: "a place is changed only at the version that is expected",
  },
  {
    ...SELL,
    find: `if (filled !== undefined && fill === "all")`,
    replace: `if (filled !== undefined && fill === "all" && known.held !== undefined)`,
    rule: "who wants all of an order is not answered with a part of it",
  },
  {
    ...SELL,
    find: "if (known.buyerId !== buyerId) {",
    replace: "if (known.buyerId === undefined && buyerId !== undefined) {",
    rule: "an order of one buyer is not answered to another",
  },
  {
    ...ROLLBACK,
    find: "sameLines(lines, takenLines(order.lines))",
    replace: "sameLines(lines, order.lines)",
    rule: "the whole order is what was sold, without the lines of which nothing was there",
  },
  {
    ...SETTLE,
    find: "if (!decision.ok || operation.dryRun === true) {",
    replace: "if (!decision.ok) {",
    rule: "a dry run writes nothing",
  },
  {
    ...TAKE,
    find: "asked.filter(({ asked, available }) => asked > available);",
    replace: "asked.filter(({ asked, available }) => asked >= available);",
    rule: "the last unit can be sold",
  },
  {
    ...SELL,
    find: "if (rule === REFUSED) return refused",
    replace: `if (state === "barred") return refused`,
    rule: "an order that was rolled back is not answered as sold",
  },
  {
    ...ROLLBACK,
    find: "if (rule === REFUSED) return",
    replace: `if (order.state === "held") return`,
    rule: "an order that is no longer held has nothing to roll back",
    tests: STATES.tests,
  },
  {
    ...STATES,
    find: '    none: ["sold"],\n    held: REFUSED,',
    replace: '    none: ["sold"],\n    held: REPEATED,',
    rule: "an order that is held is not sold",
  },
  {
    ...STATES,
    find: 'if (typeof rule !== "string" && rule.includes(to)) return;',
    replace: "return;",
    rule: "no operation leads an order where the table does not",
  },
  {
    ...LEVELS,
    find: "(snapshot.levels.get(keyOf(line))?.onHand ?? 0) + line.num > INT32_MAX",
    replace: "(snapshot.levels.get(keyOf(line))?.onHand ?? 0) + line.num >= INT32_MAX",
    rule: "what comes back may fill a goods up to int32's largest",
  },
  {
    ...SET,
    find: "const onHand = num + withheld;",
    replace: "const onHand = num;",
    rule: "a set makes so much available, beside what is reserved",
  },
  {
    ...SET,
    find: `of: "rise", `,
    replace: `of: "on_hand", `,
    rule: "a refusal says that a set's rise would pass int32, not what is on hand",
    tests: SETTLE.tests,
  },
  {
    ...SETTLE,
    file: `${OPERATIONS}/transfer.ts`,
    find: `of: "on_hand", `,
    replace: `of: "rise", `,
    rule: "a refusal says that what is on hand where a transfer goes would pass int32",
  },
  {
    ...LEVELS,
    find: "level.onHand - level.reserved - (",
    replace: "level.onHand - (",
    rule: "what is reserved is not sold",
  },
  {
    ...ROLLBACK,
    find: "returned[i] === num);",
    replace: "(returned[i] ?? 0) > 0);",
    rule: "an order is rolled back once all of it came back, and not earlier",
  },
  {
    ...SETTLE,
    file: `${OPERATIONS}/give_back.ts`,
    find: "takesOnly: false",
    replace: "takesOnly: true",
    rule: "no sale leans on units that come back in the same batch, however they do",
  },
  {
    ...SETTLE,
    find: "before.deleted && opens !== true",
    replace: "before.deleted",
    rule: "setting its quantity opens a goods that is no longer sold, for the rest of the batch too",
  },
  {
    file: "src/inventory/lines.ts",
    find: "num: (merged.get(key)?.num ?? 0) + num }",
    replace: "num }",
    rule: "lines of one goods add up",
    tests: ["tests/unit/lines_test.ts"],
  },
  {
    ...ROLLBACK,
    find: "new Set([derivedRollbackId(orderId, []), derivedRollbackId(orderId, lines)])",
    replace: "new Set([derivedRollbackId(orderId, lines)])",
    rule: "a rollback without an id is looked for under both ids that it may have",
    tests: ["tests/unit/ids_test.ts"],
  },
];
