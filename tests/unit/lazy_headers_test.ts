import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { LazyHeaders, toWebHeaders } from "../../src/transport/http2/headers.ts";

const NAMES = ["content-type", "te", "x-a", "cookie", "grpc-timeout"] as const;
const name = fc.constantFrom(...NAMES, "Content-Type", "X-A", "constructor");
const value = fc.string({ unit: fc.constantFrom("a", "b", ",", "-"), minLength: 1, maxLength: 4 });

/** Something that is done with headers, and what it comes to. */
const step = fc.oneof(
  fc.tuple(fc.constant("get" as const), name, value),
  fc.tuple(fc.constant("has" as const), name, value),
  fc.tuple(fc.constant("set" as const), name, value),
  fc.tuple(fc.constant("append" as const), name, value),
  fc.tuple(fc.constant("delete" as const), name, value),
);

Deno.test("whatever is done with them, they are as the platform's would be", () => {
  const fields = fc.dictionary(
    fc.constantFrom(...NAMES),
    fc.oneof(value, fc.array(value, { minLength: 1, maxLength: 3 })),
  );
  fc.assert(fc.property(fields, fc.array(step, { maxLength: 8 }), (given, steps) => {
    const both = [new LazyHeaders(given), toWebHeaders(given)] as const;
    for (const [method, name, value] of steps) {
      const [came, expected] = both.map((headers) => (headers[method] as (...args: string[]) => unknown)(name, value));
      assertEquals(came, expected, `${method} ${name}`);
    }
    const [[lazy, real]] = [both.map((headers) => [...headers])];
    assertEquals(lazy, real);
    assertEquals([...both[0].keys()], [...both[1].keys()]);
    assertEquals([...both[0].values()], [...both[1].values()]);
    assertEquals([...new Headers(both[0])], real);
  }));
});

Deno.test("they are unchanged until somebody may have changed them, and a pseudo-header field is none", () => {
  const fields = { ":path": "/a", te: "trailers" };
  const headers = new LazyHeaders(fields);
  assertEquals([headers.get("te"), headers.has("x"), headers.unchanged === fields], ["trailers", false, true]);
  assertThrows(() => headers.get(":path"), TypeError);
  headers.set("te", "deflate");
  assertEquals([headers.unchanged, headers.get("te"), fields.te], [undefined, "deflate", "trailers"]);
});
