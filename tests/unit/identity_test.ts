/** Names of identities, and which right contains which. */
import { assertEquals } from "@std/assert";
import { isName, NAME_CHARACTERS_MAX } from "../../src/auth/identity.ts";
import { isRight, RIGHTS, withContained } from "../../src/auth/rights.ts";

Deno.test("the operator may do everything, a seller and a stocker may read, and neither what the other may", () => {
  assertEquals(withContained(["operator"]), new Set(RIGHTS));
  assertEquals(withContained(["stocker"]), new Set(["stocker", "reader"]));
  assertEquals(withContained(["seller"]), new Set(["seller", "reader"]));
  assertEquals(withContained(["reader"]), new Set(["reader"]));
  assertEquals(withContained(["seller", "stocker"]), new Set(["seller", "reader", "stocker"]));
  assertEquals(withContained([]), new Set());
});

Deno.test("a right is known by its exact name", () => {
  assertEquals(["reader", "Reader", "anyone", "", "constructor"].filter(isRight), ["reader"]);
});

Deno.test("a name is printable ASCII that looks like what it is", () => {
  for (const name of ["till 7", "spiffe://shop.example/till", "~", "x".repeat(NAME_CHARACTERS_MAX)]) {
    assertEquals(isName(name), true, name);
  }
  for (const name of ["", " till", "till ", "a,b", "tîll", "a\nb", "a\u0000", "x".repeat(NAME_CHARACTERS_MAX + 1)]) {
    assertEquals(isName(name), false, name);
  }
});
