/** The page for browsers as HTTP: what is served at which address, under which rules, and what is not. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { gunzipSync } from "node:zlib";
import { eachVersion } from "../support/http_versions.ts";
import { serverTest, startServer } from "../support/server.ts";
import { eventually } from "../support/eventually.ts";

/** Of everything that the first page loads, as it goes over the wire. */
const FIRST_LOAD_BYTES_MAX = 150 * 1024;
const FIRST_SCRIPT_BYTES_MAX = 1024;

serverTest("the console is served, and nothing beside it", {}, async (server, step) => {
  const page = await get(`${server.url}/`);
  const assets = [...page.text.matchAll(/"(\/assets\/[^"]+)"/g)].map(([, path]) => `${server.url}${path}`);

  await step("its page at every address of the page, and never one that is kept", async () => {
    for (const path of ["/", "/goods", "/goods/17?sort=num", "/orders/A%2F1", "/system", "/?wire=json"]) {
      const { response, text } = await get(`${server.url}${path}`);
      assertEquals([response.status, text], [200, page.text], path);
      assertEquals(response.headers.get("cache-control"), "no-cache");
      assertStringIncludes(response.headers.get("content-type") ?? "", "text/html");
    }
  });

  await step("under a policy without exceptions", () => {
    const { headers } = page.response;
    const policy = headers.get("content-security-policy") ?? "";
    assertStringIncludes(policy, "default-src 'none'; script-src 'self'; style-src 'self'");
    assert(!/unsafe|data:|https?:|\*/.test(policy), policy);
    assertEquals(headers.get("x-content-type-options"), "nosniff");
    assertEquals(headers.get("referrer-policy"), "no-referrer");
    assertEquals(headers.get("cross-origin-opener-policy"), "same-origin");
    assert(!/<script(?![^>]*src=)|<style|style=|\son\w+=/.test(page.text), page.text);
    return Promise.resolve();
  });

  await step("what it names is there for good, packed for who takes that, and under 150 KiB in all", async () => {
    assert(assets.length >= 4);
    const seen = new Set(assets);
    let bytes = (await packed(server.url)).length;
    // What a script imports, its parts are.
    for (const url of seen) {
      const body = await packed(url);
      bytes += body.length;
      const text = gunzipSync(body).toString();
      // Imported, or the page that is shown first.
      for (const [, name] of text.matchAll(/"\.\/([\w.-]+\.js)"/g)) {
        if (!/_page-/.test(name!) || name!.startsWith("goods_page-")) seen.add(`${server.url}/assets/${name}`);
      }
      const { response, text: plain } = await get(url);
      assertEquals(plain, text, url);
      assertEquals(response.headers.get("cache-control"), "public, max-age=31536000, immutable");
      assertEquals(response.headers.get("vary"), "accept-encoding");
    }
    assert(bytes < FIRST_LOAD_BYTES_MAX, `${bytes} bytes`);
  });

  await step("the one script that the browser waits for is small, and brings no other", async () => {
    const [, path] = page.text.match(/<script src="([^"]+)">/) ?? [];
    const { text } = await get(`${server.url}${path}`);
    assert(text.length < FIRST_SCRIPT_BYTES_MAX && !/\b(?:im|ex)port\b/.test(text), text);
  });

  await step("who has it already is not sent it again", async () => {
    for (const url of [`${server.url}/`, assets[0]!]) {
      const tag = (await get(url)).response.headers.get("etag") ?? "";
      assertMatch(tag, /^".+"$/);
      for (const known of [tag, `"other", W/${tag}`]) {
        const { response, text } = await get(url, { "if-none-match": known });
        assertEquals([response.status, text], [304, ""]);
      }
      assertEquals((await get(url, { "if-none-match": '"other"' })).response.status, 200);
    }
  });

  await step("HEAD has the same header and nothing behind it", async () => {
    const response = await fetch(`${server.url}/`, { method: "HEAD" });
    assertEquals([response.status, await response.text()], [200, ""]);
  });

  await step("nothing else is there", async () => {
    for (const path of ["/page.html", "/assets/", "/assets/../page.html", "/assets/%2e%2e/sources.txt", "/goodsx"]) {
      const response = await fetch(`${server.url}${path}`);
      assertEquals(response.status, 404, path);
      await response.body?.cancel();
    }
    const posted = await fetch(`${server.url}/`, { method: "POST", body: "x" });
    assertEquals(posted.status, 404);
    await posted.body?.cancel();
  });

  await step("the same over both versions of HTTP, beside a health path and a call by GET", async () => {
    await eachVersion(server.url, async (version, { request }) => {
      assertEquals(String((await request("GET", "/system")).body), page.text, version);
      assertEquals((await request("HEAD", "/system")).body.length, 0, version);
      assertEquals((await request("GET", "/livez")).status, 200, version);
      const { status } = await request("GET", "/inventory.v1.InventoryService/InvDetail?encoding=json&message=%7B%7D");
      assertEquals(status, 400, version);
    });
  });
});

Deno.test("CONSOLE=off: it is not served", async () => {
  await using server = await startServer({ env: { CONSOLE: "off" }, healthy: false });
  const response = await fetch(server.url);
  assertEquals(response.status, 404);
  await response.body?.cancel();
});

Deno.test("what may not be read is said in the log and in the page's place, and the server starts", async () => {
  const flags = (given: readonly string[]) => given.map((flag) => flag.replace(/,[^,]*dist\/console/, ""));
  await using server = await startServer({ flags, healthy: false });
  const response = await fetch(server.url);
  assertEquals(response.status, 503);
  assertStringIncludes(await response.text(), "deno@2.9.3 task console");
  await eventually(() => server.output.stderr.includes("the console is not served"), "the log says so");
});

async function get(url: string, headers: Record<string, string> = {}) {
  const response = await fetch(url, { headers });
  return { response, text: await response.text() };
}

/** The body as it comes. `fetch` would unpack it. */
async function packed(url: string): Promise<Uint8Array> {
  const { default: http } = await import("node:http");
  return await new Promise((resolve, reject) => {
    http.get(url, { headers: { "accept-encoding": "gzip, br" } }, (response) => {
      const chunks: Uint8Array[] = [];
      response.on("data", (chunk: Uint8Array) => chunks.push(chunk));
      response.on("end", () => {
        assertEquals(response.headers["content-encoding"], "gzip", url);
        resolve(new Uint8Array(chunks.flatMap((chunk) => [...chunk])));
      });
    }).on("error", reject);
  });
}
