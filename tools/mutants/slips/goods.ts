/** Slips with names of goods and with reasons. */
import type { Slip } from "../plant.ts";

const LOOK_UP = ["tests/unit/sku_look_up_test.ts"];
const LOST = { file: "src/lanes/again.ts", tests: ["tests/integration/goods_lost_write_test.ts"] };

export const GOODS_SLIPS: readonly Slip[] = [
  {
    file: "src/inventory/sku.ts",
    find: `const sku = text.normalize("NFC");`,
    replace: `const sku = text.normalize("NFKC");`,
    rule: "skus that only look alike are different ones",
    tests: ["tests/unit/skus_test.ts"],
  },
  {
    file: "src/services/skus.ts",
    find: "else if (goodsId > 0 && goodsId !== id) {",
    replace: "else if (false) {",
    rule: "a goods id and the sku of another goods are refused",
    tests: ["tests/unit/skus_test.ts"],
  },
  {
    file: "src/goods/goods_names.ts",
    find: "      if (id === undefined) continue;\n      this.#kept.set(sku, id);",
    replace: "      this.#kept.set(sku, id ?? 0);\n      if (id === undefined) continue;",
    rule: "that a sku names nothing is not kept",
    tests: LOOK_UP,
  },
  {
    file: "src/services/decode_parts.ts",
    find: "return decoded.sort((a, b) => a.at - b.at);",
    replace: "return decoded;",
    rule: "the parts of a batch keep their sequence, whatever they call their goods",
    tests: LOOK_UP,
  },
  {
    file: "src/services/attribution.ts",
    find: "|| reasons.isKnown(code)) {",
    replace: "|| true) {",
    rule: "a reason is one of those that there are",
    tests: ["tests/unit/attribution_test.ts"],
  },
  {
    ...LOST,
    find: "else throw new OutcomeUnknownError(lost.message, { cause: error });",
    replace: "else throw error;",
    rule: "what keeps a lost write from an answer is no proof that it was not made",
  },
  {
    ...LOST,
    find: "if (lost === undefined || !metNobody(answer)) return answer;",
    replace: "return answer;",
    rule: "a lost write that may still come is not refused for want of room",
  },
];
