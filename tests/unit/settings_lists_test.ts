/**
 * Tests of the lists and the hosts among the settings: their normal forms, what is refused, what is said to do nothing.
 */
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { ConfigError, loadConfig } from "../../src/config/config.ts";

function load(settings: Record<string, string>) {
  return loadConfig((name) => settings[name]);
}

function problem(settings: Record<string, string>): string {
  return assertThrows(() => load(settings), ConfigError).problems.join("\n");
}

Deno.test("origins are taken in the form in which a browser sends them", () => {
  const rows: Record<string, string> = {
    "https://shop.example": "https://shop.example",
    "https://Other.example:443/": "https://other.example",
    "HTTP://b.example:80": "http://b.example",
    "http://localhost:3000": "http://localhost:3000",
    "http://[::1]:3000/": "http://[::1]:3000",
    "https://bücher.example": "https://xn--bcher-kva.example",
    "https://*.Shop.example:8443/": "https://*.shop.example:8443",
  };
  assertEquals(load({ CORS_ORIGINS: Object.keys(rows).join(" , ") }).corsOrigins, Object.values(rows));
});

Deno.test("an origin that no page could come from is refused, with its place", () => {
  const refused = [
    "*",
    "null",
    "shop.example",
    "https://a.example/path",
    "https://a.example?x",
    "https://u:s3cret@a.example",
    "ftp://a.example",
    "https://",
    "https://a.*.example",
    "https://*.com",
    "https://*.1.2.3.4",
    "https://*",
    "https://a.example b.example",
    "https://a.example:99999",
  ];
  for (const origin of refused) {
    const found = problem({ CORS_ORIGINS: `https://good.example,${origin}` });
    assert(/^CORS_ORIGINS: entry 2: /.test(found), `${origin}: ${found}`);
    assert(!found.includes("s3cret"), found);
  }
});

Deno.test("an empty entry of a list is refused, wherever it stands", () => {
  for (const name of ["REDIS_URLS", "CORS_ORIGINS", "ALLOWED_HOSTS"]) {
    for (const value of [",", "a,,b", "a,b,", " , a"]) {
      assert(/: entry \d of \d is empty/.test(problem({ [name]: value })), name);
    }
  }
});

Deno.test("names of hosts are taken in normal form, and others refused", () => {
  const given = "Stock.example, bücher.example,a_b.internal,shop.example.";
  const wanted = ["stock.example", "xn--bcher-kva.example", "a_b.internal", "shop.example."];
  assertEquals(load({ ALLOWED_HOSTS: given }).allowedHosts, wanted);
  for (const host of ["stock.example:8080", "http://a.example", "a.example/", "*", "*.a.example", "a b", "u@a"]) {
    assertStringIncludes(problem({ ALLOWED_HOSTS: host }), "ALLOWED_HOSTS: ");
  }
});

Deno.test("HOST is a name or an address, with or without brackets, and no port", () => {
  const rows: Record<string, string> = {
    "::1": "::1",
    "[::1]": "::1",
    "::": "::",
    "0.0.0.0": "0.0.0.0",
    "localhost": "localhost",
    "stock-1.internal": "stock-1.internal",
  };
  for (const [given, wanted] of Object.entries(rows)) assertEquals(load({ HOST: given, AUTH: "none" }).host, wanted);
  for (const host of ["*", "127.0.0.1:8080", "[::1]:8080", "[::1", "http://a", "a b", "a/b", "u:s3cret@h", "a:"]) {
    const found = problem({ HOST: host });
    assert(found.startsWith("HOST: expected"), found);
    assert(!found.includes("s3cret"), found);
  }
});

Deno.test("nodes that are one server are refused, however they are spelt", () => {
  const others = ",redis://b,redis://c";
  for (const list of ["redis://a,redis://A:6379", "redis://a/0,redis://a/1", "redis://a,rediss://:p@a"]) {
    assertStringIncludes(problem({ REDIS_URLS: `${list}${others},redis://d` }), "entries 1 and 2 are one server");
  }
});

Deno.test("what is set and changes nothing is said, and no address with it", () => {
  assertEquals(load({}).notes, []);
  const { notes } = load({
    CONCURRENCY: "row",
    REDIS_URLS: "redis://:s3cret@a,redis://b,redis://c",
    QUORUM_LOSS: "row",
    CORS_ORIGINS: "https://a.example,https://A.example/",
    ALLOWED_HOSTS: "127.0.0.1,a.example,localhost,a.example",
    DATABASE_URL: "postgres://u:s3cret@h/d?sslmode=disable&sslrootcert=/ca.pem&supa=x",
  });
  assertEquals(notes, [
    "REDIS_URLS changes nothing: CONCURRENCY is row",
    "QUORUM_LOSS changes nothing: CONCURRENCY is row",
    "DATABASE_URL: supa is a mark of a provider's and changes nothing",
    "DATABASE_URL: sslrootcert, sslcert and sslkey change nothing with sslmode=disable",
    "CORS_ORIGINS: entry 2 is the same as entry 1",
    "ALLOWED_HOSTS: entry 4 is the same as entry 2",
    "ALLOWED_HOSTS: entry 1 changes nothing: localhost and addresses are always the server's own",
    "ALLOWED_HOSTS: entry 3 changes nothing: localhost and addresses are always the server's own",
  ]);
});
