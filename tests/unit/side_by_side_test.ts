/** Tests of how work is shared out among places: what runs beside what, and what an error or a stop ends. */
import { assertEquals, assertRejects } from "@std/assert";
import { sideBySide } from "../../tools/test/side_by_side.ts";

/** Work that ends when it is told to, and tells what is under way. */
function bench(words: string) {
  const pieces = words.split(" ").map((name) => ({ name, isApart: name.startsWith("apart") }));
  const underWay = new Map<string, { place: number; end: PromiseWithResolvers<void> }>();
  const begun: string[] = [];
  return {
    pieces,
    begun,
    underWay: () => [...underWay.keys()],
    placeOf: (name: string) => underWay.get(name)?.place,
    work: async ({ name }: { name: string }, place: number) => {
      begun.push(name);
      const end = Promise.withResolvers<void>();
      underWay.set(name, { place, end });
      await end.promise.finally(() => underWay.delete(name));
    },
    async end(name: string, error?: Error) {
      const { end } = underWay.get(name)!;
      if (error === undefined) end.resolve();
      else end.reject(error);
      await new Promise((resolve) => setTimeout(resolve));
    },
  };
}

Deno.test("each place takes the next piece when it is free; pieces that go apart wait for all others, and are two at once", async () => {
  const { pieces, work, underWay, placeOf, end, begun } = bench("a apart-1 b c apart-2 d apart-3");
  const done = sideBySide(pieces, 3, work, () => false);
  assertEquals(underWay(), ["a", "b", "c"]);
  assertEquals([placeOf("a"), placeOf("b"), placeOf("c")], [0, 1, 2]);
  await end("b");
  assertEquals(underWay(), ["a", "c", "d"]);
  assertEquals(placeOf("d"), 1);
  await end("c");
  await end("a");
  assertEquals(underWay(), ["d"]);
  await end("d");
  assertEquals(underWay(), ["apart-1", "apart-2"]);
  await end("apart-1");
  assertEquals(underWay(), ["apart-2", "apart-3"]);
  await end("apart-2");
  await end("apart-3");
  await done;
  assertEquals(begun, ["a", "b", "c", "d", "apart-1", "apart-2", "apart-3"]);
});

Deno.test("after an error nothing more is begun, and it is thrown when the others have ended", async () => {
  const { pieces, work, underWay, end, begun } = bench("a b c apart");
  let isOver = false;
  const done = assertRejects(() => sideBySide(pieces, 2, work, () => false), Error, "no servers")
    .finally(() => isOver = true);
  await end("a", new Error("no servers"));
  assertEquals([underWay(), isOver], [["b"], false]);
  await end("b");
  await done;
  assertEquals(begun, ["a", "b"]);
});

Deno.test("once it is stopped nothing more is begun, and what is under way is waited for", async () => {
  const { pieces, work, end, begun } = bench("a b c apart");
  let isStopped = false;
  const done = sideBySide(pieces, 2, work, () => isStopped);
  isStopped = true;
  await end("b");
  await end("a");
  await done;
  assertEquals(begun, ["a", "b"]);
});

Deno.test("more places than pieces, and no piece at all", async () => {
  const { pieces, work, underWay, end } = bench("a");
  const done = sideBySide(pieces, 4, work, () => false);
  assertEquals(underWay(), ["a"]);
  await end("a");
  await done;
  await sideBySide([], 4, work, () => false);
});
