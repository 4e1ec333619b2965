import { assertThrows } from "@std/assert";
import { invariant, InvariantError } from "../../src/base/invariant.ts";

Deno.test("an invariant that does not stand throws its message", () => {
  invariant(true, "not thrown");
  for (const condition of [false, undefined, 0, ""]) {
    assertThrows(() => invariant(condition, "released twice"), InvariantError, "released twice");
  }
});
