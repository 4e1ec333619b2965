import { assertEquals } from "@std/assert";
import fc from "fast-check";
Deno.test("x", () => { assertEquals(1, 1); fc.assert(fc.property(fc.integer(), (n) => n === n)); });
