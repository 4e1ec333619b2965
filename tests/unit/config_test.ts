import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { ConfigError, loadConfig } from "../../src/config/config.ts";
import { SETTING_NAMES } from "../../src/config/settings.ts";

function load(settings: Record<string, string>) {
  return loadConfig((name) => settings[name]);
}

function problems(settings: Record<string, string>): readonly string[] {
  return assertThrows(() => load(settings), ConfigError).problems;
}

Deno.test("loadConfig() needs no settings at all, listens on loopback and asks five nodes", () => {
  const config = load({});
  assertEquals(config.host, "127.0.0.1");
  assertEquals(config.port, 8080);
  assertEquals(config.redisNodes.length, 5);
  assertEquals(config.corsOrigins, []);
  assertEquals(config.allowedHosts, []);
  assert(Object.isFrozen(config));
});

Deno.test("loadConfig() takes an empty variable as not set", () => {
  assertEquals(load(Object.fromEntries(SETTING_NAMES.map((name) => [name, ""]))), load({}));
});

Deno.test("loadConfig() reports every problem at once, with what it got", () => {
  const found = problems({ PORT: "eighty", LOG_LEVEL: "loud", QUEUE_MAX: "0", CORS_ORIGINS: "https://a.example/path" });
  assertEquals(found.length, 4);
  assertStringIncludes(found.join("\n"), 'PORT: expected a whole number, got "eighty"');
  assertStringIncludes(found.join("\n"), 'QUEUE_MAX: expected 1 or more, got "0"');
  assertStringIncludes(found.join("\n"), 'LOG_LEVEL: expected one of debug, info, warn, error, silent, got "loud"');
});

Deno.test("loadConfig() names rules over several settings beside what can't be read", () => {
  const found = problems({ PORT: "x", TLS_CERT_FILE: "c.pem", LOCK_TTL_MS: "200" }).map((text) => text.split(":")[0]);
  assertEquals(found, ["PORT", "TLS_KEY_FILE", "LOCK_TTL_MS", "LOCK_NODE_TIMEOUT_MS"]);
});

Deno.test("loadConfig() never repeats a URL, which may contain a password", () => {
  const found = problems({ DATABASE_URL: "mysql://u:hunter2@h", REDIS_URLS: "redis://:hunter2@a,redis://b" });
  assertEquals(found.filter((problem) => problem.includes("hunter2")), []);
  assertEquals(found.length, 3);
});

const REFUSED: [why: string, settings: Record<string, string>, naming: string][] = [
  ["a single node", { REDIS_URLS: "redis://a" }, "at least three"],
  ["an even count of nodes", { REDIS_URLS: "redis://a,redis://b,redis://c,redis://d" }, "odd"],
  ["the same node twice", { REDIS_URLS: "redis://a,redis://b,redis://a" }, "differ"],
  ["a fraction", { LOCK_TTL_MS: "5000.5" }, "whole number"],
  ["a port out of range", { PORT: "65536" }, "65535"],
  ["a certificate without its key", { TLS_CERT_FILE: "c.pem" }, "TLS_KEY_FILE"],
  ["a key without its certificate", { TLS_KEY_FILE: "k.pem" }, "TLS_CERT_FILE"],
  ["a TTL below the work", { LOCK_TTL_MS: "3999" }, "LOCK_TTL_MS"],
  [
    "a node timeout that eats the TTL",
    { LOCK_NODE_TIMEOUT_MS: "1500", LOCK_WAIT_MS_MAX: "3000" },
    "LOCK_NODE_TIMEOUT_MS",
  ],
  ["a queue that a whole batch never fits into", { QUEUE_MAX: "999" }, "BATCH_ORDERS_MAX (1000)"],
  ["a key prefix that Redis's patterns would read", { LOCK_KEY_PREFIX: "shop*" }, "LOCK_KEY_PREFIX"],
  ["a host with a port", { ALLOWED_HOSTS: "stock.example:8080" }, "ALLOWED_HOSTS"],
  ["a host with a scheme", { ALLOWED_HOSTS: "http://stock.example" }, "ALLOWED_HOSTS"],
  ["every host", { ALLOWED_HOSTS: "*" }, "ALLOWED_HOSTS"],
  ["a header that is none", { CORS_HEADERS: "x-tenant,x y" }, "CORS_HEADERS"],
  ["every header", { CORS_HEADERS: "*" }, "CORS_HEADERS"],
  ["a header that no page can set", { CORS_HEADERS: "Cookie" }, "CORS_HEADERS"],
  ["another that no page can set", { CORS_HEADERS: "sec-fetch-mode" }, "CORS_HEADERS"],
  ["a CORS that there is not", { CORS: "off" }, "CORS"],
  ["origins where a proxy decides", { CORS: "proxy", CORS_ORIGINS: "https://shop.example" }, "CORS_ORIGINS"],
  ["headers where a proxy decides", { CORS: "proxy", CORS_HEADERS: "x-tenant" }, "CORS_HEADERS"],
  ["a mode of concurrency that there is not", { CONCURRENCY: "hope" }, "CONCURRENCY"],
  ["a quorum loss that is ignored", { QUORUM_LOSS: "ignore" }, "QUORUM_LOSS"],
  ["a delay that no grace period is for", { DRAIN_DELAY_MS: "60001" }, "expected 60000 or less"],
  ["connections that are made anew all the time", { CONNECTION_AGE_MS_MAX: "9999" }, "expected 10000 or more, or 0"],
  ["a wait below one attempt", { LOCK_WAIT_MS_MAX: "499" }, "LOCK_WAIT_MS_MAX"],
];

for (const [why, settings, naming] of REFUSED) {
  Deno.test(`loadConfig() refuses ${why}`, () => {
    const found = problems(settings);
    assertEquals(found.length, 1);
    assertStringIncludes(found[0] ?? "", naming);
  });
}

Deno.test("loadConfig() takes headers of pages in small letters, and the names of a server behind a proxy", () => {
  assertEquals(load({ CORS_HEADERS: " X-Tenant, x-b" }).corsHeaders, ["x-tenant", "x-b"]);
  const { corsLeftToProxy, allowedHosts } = load({ CORS: "proxy", ALLOWED_HOSTS: "stock.example" });
  assertEquals([corsLeftToProxy, allowedHosts], [true, ["stock.example"]]);
});

Deno.test("loadConfig() takes 0 for connections of any age", () => {
  const agesMax = ["0", "10000"].map((CONNECTION_AGE_MS_MAX) => load({ CONNECTION_AGE_MS_MAX }).connectionAgeMsMax);
  assertEquals(agesMax, [undefined, 10_000]);
});

Deno.test("loadConfig() accepts the smallest TTL that the work fits into", () => {
  assertEquals(load({ LOCK_TTL_MS: "4000" }).lockTtlMs, 4000);
});
