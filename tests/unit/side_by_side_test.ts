/** Tests of how work is shared out among places: what runs beside what, and what an error or a stop ends. */
import { assertEquals, assertRejects } from "@std/assert";
import { sideBySide } from "../../tools/test/side_by_side.ts";

/** What follows an end has been begun by then. */
function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}

/** Work that ends when it is asked to, and says what is under way. */
function bench(words: string) {
  const pieces = words.split(" ").map((name) => ({ name, isHeavy: name.startsWith("heavy") }));
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
      await turn();
    },
  };
}

Deno.test("each place takes the next piece when it is free", async () => {
  const { pieces, work, underWay, placeOf, end, begun } = bench("a b c d");
  const done = sideBySide(pieces, 3, work, () => false);
  await turn();
  assertEquals(underWay().sort(), ["a", "b", "c"]);
  assertEquals(new Set(["a", "b", "c"].map(placeOf)), new Set([0, 1, 2]));
  const place = placeOf("b");
  await end("b");
  assertEquals(underWay().sort(), ["a", "c", "d"]);
  assertEquals(placeOf("d"), place);
  for (const name of ["a", "c", "d"]) await end(name);
  await done;
  assertEquals(begun.sort(), ["a", "b", "c", "d"]);
});

Deno.test("heavy pieces come first, one at a time, beside others", async () => {
  const { pieces, work, underWay, placeOf, end } = bench("a heavy-1 b heavy-2 c");
  const done = sideBySide(pieces, 2, work, () => false);
  await turn();
  assertEquals(underWay().sort(), ["a", "heavy-1"]);
  const place = placeOf("heavy-1");
  await end("a");
  assertEquals(underWay().sort(), ["b", "heavy-1"]);
  await end("heavy-1");
  assertEquals(underWay().sort(), ["b", "heavy-2"]);
  await end("heavy-2");
  assertEquals(underWay().sort(), ["b", "c"]);
  assertEquals(placeOf("c"), place);
  await end("b");
  await end("c");
  await done;
});

Deno.test("after an error nothing more is begun, and it is thrown when the others have ended", async () => {
  const { pieces, work, underWay, end, begun } = bench("a b c");
  let isOver = false;
  const done = assertRejects(() => sideBySide(pieces, 2, work, () => false), Error, "no servers")
    .finally(() => isOver = true);
  await turn();
  await end("a", new Error("no servers"));
  assertEquals([underWay(), isOver], [["b"], false]);
  await end("b");
  await done;
  assertEquals(begun, ["a", "b"]);
});

Deno.test("once it is stopped nothing more is begun, and what is under way is waited for", async () => {
  const { pieces, work, end, begun } = bench("a b c");
  let isStopped = false;
  const done = sideBySide(pieces, 2, work, () => isStopped);
  await turn();
  isStopped = true;
  await end("b");
  await end("a");
  await done;
  assertEquals(begun, ["a", "b"]);
});

Deno.test("more places than pieces, and no piece at all", async () => {
  const { pieces, work, underWay, end } = bench("a");
  const done = sideBySide(pieces, 4, work, () => false);
  await turn();
  assertEquals(underWay(), ["a"]);
  await end("a");
  await done;
  await sideBySide([], 4, work, () => false);
});
