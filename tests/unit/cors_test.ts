import { assert, assertEquals, assertFalse } from "@std/assert";
import { cors } from "@connectrpc/connect";
import { type CorsRequest, decideCors } from "../../src/transport/cors/handler.ts";
import { corsRules } from "../../src/transport/cors/rules.ts";

const SHOP = "https://shop.example";
const ORIGINS = corsRules({ origins: [SHOP, "https://office.example:8443"], hosts: [] });
const NONE = corsRules({ origins: [], hosts: [] });
const NAMED = corsRules({ origins: [], hosts: ["stock.example"] });
const PROXY = corsRules({ origins: [], hosts: ["stock.example"], leftToProxy: true });

const call: CorsRequest = { method: "POST", host: "stock.example:8080", origin: SHOP, requestMethod: undefined };
const preflight: CorsRequest = { ...call, method: "OPTIONS", requestMethod: "POST" };

Deno.test("a call of an allowed origin goes on, and the page may read what gRPC-web needs", () => {
  const { answer, headers } = decideCors(call, ORIGINS);
  assertEquals(answer, undefined);
  assertEquals(headers["access-control-allow-origin"], SHOP);
  const exposed = list(headers["access-control-expose-headers"]);
  for (const name of ["grpc-status", "grpc-message", "grpc-status-details-bin", "x-request-id"]) {
    assert(exposed.includes(name), name);
  }
});

Deno.test("a preflight of an allowed origin is answered with the methods and headers of all three protocols", () => {
  const { answer, headers } = decideCors(preflight, ORIGINS);
  assertEquals(answer, 204);
  assertEquals(headers["access-control-allow-origin"], SHOP);
  assertEquals(list(headers["access-control-allow-methods"]), ["post", "get"]);
  const allowed = list(headers["access-control-allow-headers"]);
  for (const name of [...cors.allowedHeaders, "x-request-id"]) assert(allowed.includes(name.toLowerCase()), name);
  assert(Number(headers["access-control-max-age"]) > 0);
});

Deno.test("a preflight of another origin is answered 403, without any permission", () => {
  const { answer, headers, refusal } = decideCors({ ...preflight, origin: "https://evil.example" }, ORIGINS);
  assertEquals(answer, 403);
  assertEquals(headers, { vary: "Origin" });
  assertEquals(
    refusal,
    "pages of https://evil.example may not call: CORS_ORIGINS does not name them, and CORS=proxy does not leave it to a proxy",
  );
});

Deno.test("origins are compared whole: no prefix, suffix, other port, other scheme, null or *", () => {
  const others = [
    "https://shop.example.evil.example",
    "https://evilshop.example",
    "https://shop.example:444",
    "http://shop.example",
    "https://office.example",
    "https://shop.example/",
    "null",
    "*",
    "",
  ];
  for (const origin of others) {
    assertFalse("access-control-allow-origin" in decideCors({ ...call, origin }, ORIGINS).headers, origin);
  }
});

Deno.test("by default no other origin is allowed, and a call of one is refused", () => {
  const { answer, headers } = decideCors(call, NONE);
  assertEquals([answer, headers], [403, { vary: "Origin" }]);
});

Deno.test("the page of the very host that it calls is always allowed, with or without the scheme's own port", () => {
  const same: [origin: string, host: string][] = [
    ["http://stock.example:8080", "stock.example:8080"],
    ["https://stock.example", "stock.example"],
    ["https://stock.example", "stock.example:443"],
    ["http://127.0.0.1:8080", "127.0.0.1:8080"],
    ["http://[::1]:8080", "[::1]:8080"],
    ["https://stock.example", "STOCK.example"],
  ];
  for (const [origin, host] of same) {
    const { answer, headers } = decideCors({ ...preflight, origin, host }, NAMED);
    assertEquals([answer, headers["access-control-allow-origin"]], [204, origin], origin);
  }
});

Deno.test("own are loopback names, addresses and the names of the setting; any other name may be anybody's", () => {
  const own = [
    "127.0.0.1:8080",
    "localhost:8080",
    "[::1]:8080",
    "shop.localhost:8080",
    "10.0.0.1",
    "stock.example:8080",
  ];
  for (const host of own) {
    assertEquals(decideCors({ ...call, origin: `http://${host}`, host }, NAMED).answer, undefined, host);
    assertEquals(decideCors({ ...preflight, origin: `http://${host}`, host }, NAMED).answer, 204, host);
  }
  const others = [
    "evil.example:8080",
    "127.0.0.1.evil.example:8080",
    "localhost.evil.example",
    "evillocalhost",
    "stock.example.evil.example",
    "evil.stock.example",
    "fake-stock.example",
    "1.evil",
  ];
  for (const host of others) {
    assertEquals(decideCors({ ...call, origin: `http://${host}`, host }, NAMED).answer, 403, host);
    assertEquals(decideCors({ ...preflight, origin: `http://${host}`, host }, NAMED).answer, 403, host);
  }
});

Deno.test("who sends no origin is no page and goes on, whatever the host; an allowed origin may use any host", () => {
  assertEquals(decideCors({ ...call, origin: undefined, host: "holdfast:8080" }, NONE).answer, undefined);
  assertEquals(decideCors({ ...call, host: "holdfast:8080" }, ORIGINS).answer, undefined);
});

Deno.test("a host that is not the page's, absent or no host at all makes nothing the same", () => {
  const other: [origin: string, host: string | undefined][] = [
    ["http://stock.example:8080", "stock.example:8081"],
    ["http://stock.example", "stock.example:8080"],
    ["http://stock.example:8080", undefined],
    ["http://[", "["],
    ["null", "null"],
    ["file://stock.example", "stock.example"],
    ["http://a b", "a b"],
  ];
  for (const [origin, host] of other) {
    assertEquals(decideCors({ ...preflight, origin, host }, NAMED).answer, 403, origin);
  }
});

Deno.test("what is no preflight is not answered here: OPTIONS without origin, or without a method asked for", () => {
  assertEquals(decideCors({ ...preflight, origin: undefined }, ORIGINS).answer, undefined);
  assertEquals(decideCors({ ...preflight, requestMethod: undefined }, ORIGINS).answer, undefined);
  assertEquals(decideCors({ ...preflight, method: "POST" }, ORIGINS).answer, undefined);
});

Deno.test("every answer varies by origin, and none says * or lets credentials in", () => {
  for (const request of [call, preflight]) {
    for (const origin of [SHOP, "https://evil.example", undefined]) {
      const { headers } = decideCors({ ...request, origin }, ORIGINS);
      assertEquals(headers["vary"], "Origin");
      assertFalse(Object.values(headers).includes("*"));
      assertFalse("access-control-allow-credentials" in headers);
    }
  }
});

Deno.test("a pattern is every name under one, at any depth, with that scheme and port, and not the name itself", () => {
  const rules = corsRules({ origins: ["https://*.shop.example", "http://*.dev.example:3000"], hosts: [] });
  const answers = (origin: string) => decideCors({ ...call, origin }, rules).headers["access-control-allow-origin"];
  const allowed = [
    "https://de.shop.example",
    "https://a.b.shop.example",
    "https://xn--mller-kva.shop.example",
    "https://pr_1-2.shop.example",
    "http://a.dev.example:3000",
  ];
  for (const origin of allowed) assertEquals(answers(origin), origin);
  const refused = [
    "https://shop.example",
    "https://evilshop.example",
    "https://.shop.example",
    "https://a..shop.example",
    "http://a.shop.example",
    "https://a.shop.example:8443",
    "https://a.shop.example.evil.example",
    "https://evil.example/.shop.example",
    "https://evil.example#.shop.example",
    "https://evil.example:1@a.shop.example",
    "https://*.shop.example",
    "http://a.dev.example",
    "http://a.dev.example:30001",
    "null",
  ];
  for (const origin of refused) assertEquals(answers(origin), undefined, origin);
});

Deno.test("a preflight is granted tokens, tracing headers and those of the setting; others are logged", () => {
  const rules = corsRules({ origins: [SHOP], hosts: [], headers: ["x-tenant"] });
  const usual = [
    "authorization",
    "traceparent",
    "tracestate",
    "baggage",
    "b3",
    "x-b3-traceid",
    "sentry-trace",
    "x-csrf-token",
    "x-grpc-web",
    "x-user-agent",
    "grpc-timeout",
    "connect-protocol-version",
    "idempotency-key",
  ];
  const asked = [...usual, "x-tenant"].join(",");
  const granted = decideCors({ ...preflight, requestHeaders: asked }, rules);
  for (const name of asked.split(",")) {
    assert(list(granted.headers["access-control-allow-headers"]).includes(name), name);
  }
  assertEquals(granted.refusedHeaders, []);
  const other = decideCors({ ...preflight, requestHeaders: "Authorization, X-Other,x-tenant" }, rules);
  assertEquals([other.answer, other.refusedHeaders], [204, ["x-other"]]);
  assertEquals(decideCors({ ...preflight, requestHeaders: "x-tenant" }, ORIGINS).refusedHeaders, ["x-tenant"]);
});

Deno.test("an allowed page of a public host may call a private one, where it asks", () => {
  const allowed = "access-control-allow-private-network";
  const asking = { ...preflight, requestPrivateNetwork: "true" };
  assertEquals(decideCors(asking, ORIGINS).headers[allowed], "true");
  assertFalse(allowed in decideCors(preflight, ORIGINS).headers);
  assertFalse(allowed in decideCors({ ...asking, origin: "https://evil.example" }, ORIGINS).headers);
});

Deno.test("left to a proxy: whoever it lets in goes on, and nothing is added that it adds itself", () => {
  for (const origin of [SHOP, "https://evil.example", "null", "http://stock.example:8080", undefined]) {
    for (const request of [call, preflight]) {
      assertEquals(decideCors({ ...request, origin }, PROXY), { answer: undefined, headers: {} }, origin);
    }
  }
});

Deno.test("left to a proxy: a page that passes it by, under a name that somebody points here, is refused still", () => {
  const origin = "http://evil.example:8080";
  const { answer, headers, refusal } = decideCors({ ...call, origin, host: "evil.example:8080" }, PROXY);
  assertEquals([answer, headers], [403, {}]);
  assertEquals(
    refusal,
    `pages of ${origin} may not call: they came from this server under a name that ALLOWED_HOSTS does not have`,
  );
});

Deno.test("however long an origin is, what is said of it is short", () => {
  const { refusal = "" } = decideCors({ ...call, origin: `https://${"a".repeat(10_000)}.example` }, ORIGINS);
  assert(refusal.length < 400, refusal);
});

function list(value: string | undefined): string[] {
  return (value ?? "").toLowerCase().split(", ");
}
