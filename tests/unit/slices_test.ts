import { inSlices, SLICE_MS } from "../../src/rpc/slices.ts";
import { assertEquals, assertRejects } from "@std/assert";

const NEVER = new AbortController().signal;

/** Works for longer than a slice. */
function busy(): void {
  const until = performance.now() + SLICE_MS + 1;
  while (performance.now() < until);
}

Deno.test("others have their turn between two long items", async () => {
  const seen: string[] = [];
  setTimeout(() => seen.push("another"), 0);
  await inSlices(["first", "second", "third"], NEVER, (item) => {
    busy();
    seen.push(item);
  });
  assertEquals(seen.filter((name) => name !== "another"), ["first", "second", "third"]);
  assertEquals(seen.includes("another") && seen.at(-1) === "third", true, seen.join());
});

Deno.test("work stops with its call, and with an error", async () => {
  const call = new AbortController();
  const seen: number[] = [];
  const work = inSlices([1, 2, 3], call.signal, (item) => {
    busy();
    seen.push(item);
    call.abort(new Error("gone"));
  });
  await assertRejects(() => work, Error, "gone");
  assertEquals(seen, [1]);
  const failing = inSlices([1], NEVER, () => {
    throw new TypeError("a bug");
  });
  await assertRejects(() => failing, TypeError, "a bug");
});
