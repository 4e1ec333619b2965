/** The addresses of the page: what each shows, that each can be made again, and what the server serves it at. */
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { addressOf, type PageName, parseRoute } from "../../src/console/shell/route.ts";
import { answerPage } from "../../src/site/answers.ts";
import { ownHosts } from "../../src/transport/own_names.ts";
import type { Bundle, ServedFile } from "../../src/site/bundle.ts";

const PAGES: readonly PageName[] = ["goods", "one_goods", "orders", "order", "system"];
const text = (content: string): ServedFile => ({
  type: "text/plain",
  tag: `"${content}"`,
  bytes: new TextEncoder().encode(content),
  packed: new TextEncoder().encode(`packed ${content}`),
});
const BUNDLE: Bundle = { page: text("page"), assets: new Map([["a.js", text("a")]]) };
const SITE = { bundle: BUNDLE, isOwnHost: ownHosts(["shop.example"]) };

Deno.test("an address says which page, of what, and how", () => {
  const read = (url: string) => {
    const { page, id, query } = parseRoute(url);
    return [page, id, query.toString()];
  };
  assertEquals(read("/"), ["goods", "", ""]);
  assertEquals(read("/nowhere"), ["goods", "", ""]);
  assertEquals(read("/goods?sort=num"), ["goods", "", "sort=num"]);
  assertEquals(read("/goods/17"), ["one_goods", "17", ""]);
  assertEquals(read("/orders/A%2F1%20b?x=1"), ["order", "A/1 b", "x=1"]);
  assertEquals(read("/orders/%ff"), ["orders", "", ""]);
  assertEquals(read("/system"), ["system", "", ""]);
});

Deno.test("every route has an address that says it again, and the server serves the page there", () => {
  const route = fc.record({
    page: fc.constantFrom(...PAGES),
    id: fc.string({ minLength: 1, maxLength: 64 }).filter((id) => !/^\.{1,2}$/.test(id)),
    query: fc.dictionary(fc.string({ minLength: 1 }), fc.string()).map((pairs) => new URLSearchParams(pairs)),
  });
  fc.assert(fc.property(route, ({ page, id, query }) => {
    const ofOne = page === "one_goods" || page === "order";
    const address = addressOf({ page, id: ofOne ? id : "", query });
    const again = parseRoute(address);
    assertEquals([again.page, again.id, again.query.toString()], [page, ofOne ? id : "", query.toString()]);
    assertEquals(answerPage(SITE, { host: "localhost:8080", path: address, headers: {} })?.status, 200, address);
  }));
});

Deno.test("gzip is for who takes it", () => {
  const encoded = (field: string | undefined) =>
    answerPage(SITE, { host: "localhost:8080", path: "/assets/a.js", headers: { "accept-encoding": field } })
      ?.headers["content-encoding"];
  for (const field of ["gzip", "gzip, deflate, br", "br;q=1.0, gzip;q=0.8", "GZIP", "x-gzip"]) {
    assertEquals(encoded(field), "gzip", field);
  }
  for (const field of [undefined, "", "br", "identity", "gzip;q=0", "gzip;q=0.0, br", "gzipped"]) {
    assertEquals(encoded(field), undefined, field);
  }
});

Deno.test("what is no page and no asset is left to others", () => {
  for (const path of ["/goodsx", "/assets/b.js", "/assets/", "/assets/a.js/", "/inventory.v1.X/Y", "*", "", "/livez"]) {
    assertEquals(answerPage(SITE, { host: "localhost:8080", path, headers: {} }), undefined, path);
  }
  assertEquals(
    answerPage({ ...SITE, bundle: undefined }, { host: "localhost", path: "/assets/a.js", headers: {} }),
    undefined,
  );
  assertEquals(
    answerPage({ ...SITE, bundle: undefined }, { host: "localhost", path: "/goods", headers: {} })?.status,
    503,
  );
});

Deno.test("under a name that may be somebody else's there is no page, which says why", () => {
  for (const host of ["shop.example", "SHOP.example:8080", "127.0.0.1:1", "[::1]:8080", "x.localhost", undefined]) {
    assertEquals(answerPage(SITE, { host, path: "/", headers: {} })?.status, 200, host);
  }
  for (const host of ["other.example", "other.example:8080", "shop.example.other.example", "not a host"]) {
    const answer = answerPage(SITE, { host, path: "/", headers: {} });
    assertEquals(answer?.status, 403);
    assertEquals(new TextDecoder().decode(answer?.body).includes("ALLOWED_HOSTS"), true, host);
  }
});
