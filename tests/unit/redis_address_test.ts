/** Tests of the parser of Redis addresses. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { AddressError, percentEncoded } from "../../src/config/address_text.ts";
import { parseRedisAddress, type RedisAddress, redisAddressText } from "../../src/config/redis_address.ts";

const PLAIN: RedisAddress = { host: "h", port: 6379, user: undefined, password: undefined, database: 0, tls: false };

const TAKEN: [text: string, wanted: RedisAddress, shown: string][] = [
  ["redis://h", PLAIN, "h:6379"],
  ["REDIS://H/", PLAIN, "h:6379"],
  ["rediss://h:1/5", { ...PLAIN, port: 1, database: 5, tls: true }, "h:1/5"],
  ["redis://:p@h", { ...PLAIN, password: "p" }, "h:6379"],
  ["redis://p@h", { ...PLAIN, password: "p" }, "h:6379"],
  ["redis://default:p@h", { ...PLAIN, password: "p" }, "h:6379"],
  ["redis://u:p%40%3A%23%2C@h", { ...PLAIN, user: "u", password: "p@:#," }, "h:6379"],
  ["redis://u:p:q@[::1]:7/0", { ...PLAIN, host: "::1", port: 7, user: "u", password: "p:q" }, "[::1]:7"],
];

for (const [text, wanted, shown] of TAKEN) {
  Deno.test(`parseRedisAddress() takes ${text}`, () => {
    assertEquals(parseRedisAddress(text), wanted);
    assertEquals(redisAddressText(parseRedisAddress(text)), shown);
  });
}

const REFUSED: [text: string, naming: RegExp][] = [
  ["s3cret", /such as redis:/],
  ["http://:s3cret@h", /such as redis:/],
  ["redis://:p@Zebra#s3cret@h", /%40/],
  ["redis://:s3cret#x@h", /%23/],
  ["redis://:s3cret/x@h", /%2F/],
  ["redis://:s3cret?x@h", /%3F/],
  ["redis://:s3cret x@h", /%20/],
  ["redis://:s3cret%@h", /the password has a %/],
  ["redis://u%zz:s3cret@h", /the user has a %/],
  ["redis://u:@h", /a user without a password/],
  ["redis://", /the host/],
  ["redis://:s3cret", /the host is no name/],
  ["redis://h:s3cret", /the port is no number/],
  ["redis://h:0", /the port is no number/],
  ["redis://h/s3cret", /no number of a database/],
  ["redis://h/65536", /no number of a database/],
  ["redis://h/1/2", /no number of a database/],
  ["redis://h?db=1", /the parameter db can't/],
  ["redis://h?s3cret", /parameters can't/],
  ["redis://h:x?s3cret=1", /parameters can't/],
];

for (const [text, naming] of REFUSED) {
  Deno.test(`parseRedisAddress() refuses ${text}`, () => {
    const { problems } = assertThrows(() => parseRedisAddress(text), AddressError);
    assert(problems.some((problem) => naming.test(problem)), problems.join("; "));
    assert(!problems.join().includes("s3cret"), problems.join("; "));
  });
}

const rawPassword = fc.tuple(
  fc.string({ unit: "grapheme", maxLength: 6 }),
  fc.string({ unit: fc.constantFrom(..."#@?/%:&=, []\\%2"), maxLength: 4 }),
).map(([a, b]) => `${a}${b}`);

Deno.test("parseRedisAddress() shows no piece of a password, whatever stands raw in it", () => {
  fc.assert(fc.property(rawPassword, rawPassword, (before, behind) => {
    const given = `${before}s3cret${behind}`;
    try {
      const address = parseRedisAddress(`redis://:${given}@h:1`);
      assertEquals(address.password, decodeURIComponent(given));
      assertEquals(redisAddressText(address), "h:1");
    } catch (error) {
      assert(error instanceof AddressError, `${error}`);
      assert(!error.message.includes("s3cret"), error.message);
    }
  }));
});

Deno.test("parseRedisAddress() reads back what was encoded", () => {
  const word = fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 }).filter((text) => !text.includes("\0"));
  fc.assert(fc.property(word, word, fc.domain(), fc.integer({ min: 1, max: 65_535 }), (user, password, host, port) => {
    fc.pre(user !== "default");
    const address = parseRedisAddress(`redis://${percentEncoded(user)}:${percentEncoded(password)}@${host}:${port}`);
    assertEquals([address.user, address.password, address.host, address.port], [
      user,
      password,
      host.toLowerCase(),
      port,
    ]);
  }));
});
