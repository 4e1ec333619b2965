/** A policy as it is typed is right where the server takes it, and is read back as it was. */
import { assert, assertEquals } from "@std/assert";
import { create, equals } from "@bufbuild/protobuf";
import fc from "fast-check";
import {
  draftOf,
  POLICY_FIELDS,
  type PolicyDraft,
  policyOf,
  readDraft,
} from "../../src/console/one_goods/policy_draft.ts";
import { isProblem } from "../../src/console/parts/checks.ts";
import { PolicySchema, SetPolicyRequestSchema } from "../../src/gen/inventory/v1/stock_pb.ts";
import { decodePolicy } from "../../src/services/stock/policy.ts";

const units = seldomOdd(["0", "1", "7", "1000000000"], ["1000000001", "2147483647", "2147483648", "-1", "x", ""]);
const time = seldomOdd(["", "1s", "15m", "31d"], ["1ms", "999ms", "31d 1ms", "3660d", "3661d", "soon"]);
const draft: fc.Arbitrary<PolicyDraft> = fc.record({
  ...{ safetyStock: units, backorderMax: units, orderNumMax: units, buyerNumMax: units, buyerWindow: time },
  ...{ lowStockAt: units, lowStockUntil: units, holdTtl: time },
});
/** Nothing of it is asked for here. */
const RULES = { newId: () => "id" } as unknown as Parameters<typeof decodePolicy>[1];

Deno.test("what the page takes the server takes", () => {
  let taken = 0;
  fc.assert(
    fc.property(draft, (draft) => {
      const policy = policyOf(draft);
      const wrong = POLICY_FIELDS.filter((field) => isProblem(readDraft(draft)[field]));
      assertEquals(policy === undefined, wrong.length > 0);
      if (policy === undefined) return;
      taken++;
      const request = create(SetPolicyRequestSchema, { goodsId: 1, policy });
      assertEquals(decodePolicy(request, RULES, undefined, undefined).operation.policy.safetyStock, policy.safetyStock);
      assert(equals(PolicySchema, policyOf(draftOf(policy))!, policy), "it is read back");
    }),
    { numRuns: 1000 },
  );
  assert(taken > 20, `${taken} were right`);
});

Deno.test("what is wrong is said of its own field", () => {
  const wrong = (change: Partial<PolicyDraft>) => {
    const read = readDraft({ ...draftOf(undefined), ...change });
    return POLICY_FIELDS.flatMap((field) => {
      const each = read[field];
      return isProblem(each) ? [`${field} ${each.problem}`] : [];
    });
  };
  assertEquals(wrong({}), []);
  assertEquals(wrong({ lowStockAt: "5", lowStockUntil: "5" }), ["lowStockUntil not_above"]);
  assertEquals(wrong({ buyerWindow: "1d" }), ["buyerNumMax out_of_bounds"]);
  assertEquals(wrong({ holdTtl: "32d", safetyStock: "1e9" }), ["safetyStock no_number", "holdTtl out_of_bounds"]);
});

function seldomOdd(usual: readonly string[], odd: readonly string[]): fc.Arbitrary<string> {
  return fc.oneof({ weight: 12, arbitrary: fc.constantFrom(...usual) }, {
    weight: 1,
    arbitrary: fc.constantFrom(...odd),
  });
}
