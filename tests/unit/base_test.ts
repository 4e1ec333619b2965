/**
 * What several rooms share: waits that grow, lines of a text that comes in pieces, buckets of tokens, and the end of a
 * process.
 */
import { assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { backoffMs } from "../../src/base/backoff.ts";
import { readLines, splitLines } from "../../src/base/lines.ts";
import { terminate } from "../../src/base/terminate.ts";
import { TokenBucket } from "../../src/base/token_bucket.ts";

Deno.test("a wait is drawn from bounds of which the upper one grows by its factor up to the longest", () => {
  const backoff = { leastMs: 1, firstMs: 3, growth: 3, maxMs: 51 };
  const bounds = [1, 2, 3, 4, 5, 5000].map((failures) =>
    [0, 0.5].map((random) => backoffMs(backoff, failures, random))
  );
  assertEquals(bounds, [[1, 2], [1, 5], [1, 14], [1, 26], [1, 26], [1, 26]]);
});

Deno.test("the lines of a text are the same in whatever pieces it comes", async () => {
  const text = fc.array(fc.constantFrom("a", "é", "\n", "bc"), { maxLength: 30 }).map((parts) => parts.join(""));
  await fc.assert(fc.asyncProperty(text, fc.integer({ min: 1, max: 5 }), async (whole, size) => {
    const bytes = new TextEncoder().encode(whole);
    const parts = Array.from(
      { length: Math.ceil(bytes.length / size) },
      (_, i) => bytes.slice(i * size, (i + 1) * size),
    );
    const lines: string[] = [];
    await readLines(ReadableStream.from(parts), (line) => lines.push(line));
    assertEquals(lines, whole === "" || whole.endsWith("\n") ? whole.split("\n").slice(0, -1) : whole.split("\n"));
  }));
});

Deno.test("a line that does not end takes no more memory than its bound", () => {
  const lines: string[] = [];
  const { take, end } = splitLines((line) => lines.push(line), 3);
  for (const piece of ["abcd", "efg", "\nhi"]) take(piece);
  end();
  assertEquals(lines, ["abc", "hi"]);
});

Deno.test("a bucket gives what is in it, then as much as has come in since, and never more than its size", () => {
  const bucket = new TokenBucket(4, 1_000, 0);
  const taken = (now: number, times: number) =>
    Array.from({ length: times }, () => bucket.take(now)).filter(Boolean).length;
  assertEquals([bucket.isFull(0), taken(0, 6), bucket.isFull(0)], [true, 4, false]);
  assertEquals([taken(249, 2), taken(500, 3), taken(60_000, 9)], [0, 2, 4]);
  assertEquals([bucket.isFull(60_500), bucket.isFull(61_000)], [false, true]);
});

/** Ends a process that ends at one of these signals; the signals that it was sent. */
async function ended(at: readonly string[], by = "SIGTERM" as Deno.Signal): Promise<[boolean, string[]]> {
  const sent: string[] = [];
  const endsWithin = () => Promise.resolve(sent.some((signal) => at.includes(signal)));
  const inTime = await terminate({ send: (signal) => void sent.push(signal), endsWithin }, by, 1);
  return [inTime, sent];
}

Deno.test("a process is woken and asked to end, and killed only if it does not", async () => {
  assertEquals(await ended(["SIGTERM"]), [true, ["SIGCONT", "SIGTERM"]]);
  assertEquals(await ended(["SIGINT"], "SIGINT"), [true, ["SIGCONT", "SIGINT"]]);
  assertEquals(await ended(["SIGKILL"]), [false, ["SIGCONT", "SIGTERM", "SIGKILL"]]);
});

Deno.test("a process that has ended between a look and a signal is no error; a signal that is not allowed is one", async () => {
  const gone = { send: () => fail(new TypeError("it has ended")), endsWithin: () => Promise.resolve(true) };
  assertEquals(await terminate(gone, "SIGTERM", 1), true);
  const other = { ...gone, send: () => fail(new Deno.errors.PermissionDenied("no")) };
  await assertRejects(() => terminate(other, "SIGTERM", 1), Deno.errors.PermissionDenied);
});

function fail(error: Error): never {
  throw error;
}
