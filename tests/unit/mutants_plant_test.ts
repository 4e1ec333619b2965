import { assertEquals } from "@std/assert";
import { plant } from "../../tools/mutants/plant.ts";

Deno.test("a slip is planted where its text is, once, and as it stands", () => {
  assertEquals(plant("a < b && c", { find: "a < b", replace: "a <= $& b" }), { text: "a <= $& b && c" });
  assertEquals(plant("line\nnext\n", { find: "line\n", replace: "" }), { text: "next\n" });
});

Deno.test("a slip without a place, or with two, is not planted", () => {
  assertEquals(plant("a < b", { find: "a <= b", replace: "" }), { notPlanted: "the text is not in the file" });
  const twice = { notPlanted: "the text is in the file more than once" };
  assertEquals(plant("x; x;", { find: "x;", replace: "y;" }), twice);
  assertEquals(plant("aaa", { find: "aa", replace: "b" }), twice);
});

Deno.test("a slip that changes nothing is none", () => {
  const none = { notPlanted: "the slip changes nothing" };
  assertEquals(plant("x;", { find: "x;", replace: "x;" }), none);
  assertEquals(plant("x;", { find: "", replace: "y;" }), none);
});
