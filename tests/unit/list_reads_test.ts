/** Reads of lists: a few at a time, by arrival, bounded, and nobody who leaves keeps a place. */
import { assertEquals, assertRejects } from "@std/assert";
import { Failure } from "../../src/lanes/failure.ts";
import { ListReads, ReadTooLongError } from "../../src/lanes/list_reads.ts";
import { DatabaseUnavailableError, StatementTimeoutError } from "../../src/store/errors.ts";

const NEVER = new AbortController().signal;

/** Reads that end when the test says so, and the names of those that have begun. */
function started(limits = { readsMax: 2, waitingMax: 100, waitingPerAddressMax: 100 }) {
  const reads = new ListReads(limits);
  const begun: string[] = [];
  const ends = new Map<string, (error?: Error) => void>();
  const read = (name: string, signal = NEVER, address?: string) =>
    reads.run(
      () => {
        begun.push(name);
        const { promise, resolve, reject } = Promise.withResolvers<string>();
        ends.set(name, (error) => error === undefined ? resolve(name) : reject(error));
        return promise;
      },
      signal,
      address,
    );
  return { read, begun, end: (name: string, error?: Error) => ends.get(name)!(error) };
}

/** Lets everything go on that can. */
const settled = () => new Promise((resolve) => setTimeout(resolve));

Deno.test("as many are read at a time as may be, the others by arrival", async () => {
  const { read, begun, end } = started();
  const all = ["a", "b", "c", "d"].map((name) => read(name));
  await settled();
  assertEquals(begun, ["a", "b"]);
  end("b");
  await settled();
  assertEquals(begun, ["a", "b", "c"]);
  end("a");
  await settled();
  end("c");
  end("d");
  assertEquals(await Promise.all(all), ["a", "b", "c", "d"]);
});

Deno.test("one that fails leaves its place to the next", async () => {
  const { read, begun, end } = started({ readsMax: 1, waitingMax: 2, waitingPerAddressMax: 2 });
  const first = read("a");
  const second = read("b");
  await settled();
  end("a", new TypeError("a fault"));
  await assertRejects(() => first, TypeError, "a fault");
  await settled();
  assertEquals(begun, ["a", "b"]);
  end("b");
  assertEquals(await second, "b");
});

Deno.test("one whose caller leaves while it waits is never read, and keeps nobody's place", async () => {
  const { read, begun, end } = started({ readsMax: 1, waitingMax: 3, waitingPerAddressMax: 3 });
  const first = read("a");
  const leaving = new AbortController();
  const second = read("b", leaving.signal);
  const third = read("c");
  await settled();
  leaving.abort(new Error("the caller has gone"));
  await assertRejects(() => second, Error, "the caller has gone");
  end("a");
  assertEquals(await first, "a");
  await settled();
  assertEquals(begun, ["a", "c"]);
  end("c");
  assertEquals(await third, "c");
  await assertRejects(() => read("d", leaving.signal), Error, "the caller has gone");
});

Deno.test("there may be so many in all, and so many of one address", async () => {
  const { read, end } = started({ readsMax: 1, waitingMax: 3, waitingPerAddressMax: 2 });
  const first = [read("a", NEVER, "one"), read("b", NEVER, "one")];
  assertEquals((await assertRejects(() => read("x", NEVER, "one"), Failure)).kind, "queue_full");
  const other = read("c", NEVER, "two");
  assertEquals((await assertRejects(() => read("x", NEVER, "three"), Failure)).kind, "queue_full");
  for (const name of ["a", "b", "c"]) {
    await settled();
    end(name);
  }
  assertEquals(await Promise.all([...first, other]), ["a", "b", "c"]);
});

Deno.test("a read that PostgreSQL does not get through in time is distinguished from a database that is away", async () => {
  const { read, end } = started();
  const long = read("a");
  const away = read("b");
  await settled();
  end("a", new StatementTimeoutError("57014"));
  end("b", new DatabaseUnavailableError("ECONNREFUSED"));
  await assertRejects(() => long, ReadTooLongError);
  assertEquals((await assertRejects(() => away, Failure)).kind, "database");
});
