/**
 * A page in a real browser with Google's grpc-web, on another origin than the service: the conversation that other
 * clients have, with preflights, errors that it can read, and a stream. A page of a foreign origin gets nothing.
 */
import { assertEquals } from "@std/assert";
import { join } from "node:path";
import { startServer as startProcess } from "../../tools/stack/server_process.ts";
import { SERVER_ENVIRONMENT } from "../../src/process/child_environment.ts";
import { settled } from "../../src/base/bounded_wait.ts";
import { clientProgram } from "../support/client_programs.ts";
import { docBlock } from "../support/clients_doc.ts";
import { lockRow } from "../support/contention.ts";
import { v1Path } from "../support/raw_call.ts";
import { post, startServer } from "../support/server.ts";
import { SAID } from "../support/talk_with.ts";
import { descriptors } from "../support/talks.ts";

const ROOT = new URL("../../", import.meta.url);
const LOCKED = 9999;
const SAID_MS_MAX = 60_000;

Deno.test("a page with Google's grpc-web, in text, has the conversation that docs/clients.md promises", async () => {
  await using pages = await servePages();
  await using server = await startServer({ env: { CORS_ORIGINS: pages.origin } });
  await post(server.url + v1Path("SetInv"), { goodsId: LOCKED, num: 10 });
  await using _locked = await lockRow(server.databaseOwnerUrl, LOCKED);
  const page = `/page.html?server=${server.url}&orders=page&goods=1&locked=${LOCKED}`;

  assertEquals(await pages.saidBy(`${pages.origin}${page}`), [
    ...SAID,
    "watched SERVING",
  ]);
  // The same page under a name that CORS_ORIGINS does not have.
  const [said, ...more] = await pages.saidBy(`${pages.origin.replace("127.0.0.1", "localhost")}${page}`);
  assertEquals([said?.slice(0, "failed".length), more.some((line) => line.startsWith("set"))], ["failed", false]);
});

/** The pages, and a browser that opens them. */
async function servePages() {
  const files = await descriptors();
  let said = Promise.withResolvers<string>();
  const serving = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const { pathname } = new URL(request.url);
    const script = { headers: { "content-type": "text/javascript" } };
    if (pathname === "/page.html") {
      const page = await Deno.readTextFile(new URL("tests/clients/talks/page.html", ROOT));
      return new Response(page, { headers: { "content-type": "text/html" } });
    }
    if (pathname === "/connect.js") return new Response(docBlock("connect.js"), script);
    if (pathname === "/files.bin") return new Response(files);
    if (pathname === "/said") {
      said.resolve(await request.text());
      return new Response();
    }
    if (!pathname.startsWith("/node_modules/")) return new Response("", { status: 404 });
    return new Response(await Deno.readTextFile(new URL(`.${pathname}`, ROOT)), script);
  });
  const origin = `http://127.0.0.1:${serving.addr.port}`;

  async function saidBy(url: string): Promise<string[]> {
    said = Promise.withResolvers();
    const dir = await Deno.makeTempDir();
    const browser = startProcess({
      name: "chromium",
      program: clientProgram("chromium"),
      // Without its sandbox, which root can't have.
      args: ["--no-sandbox", "--disable-gpu", "--remote-debugging-port=0", `--user-data-dir=${dir}`, url],
      dir,
      cwd: dir,
      env: { ...SERVER_ENVIRONMENT, HOME: dir, TMPDIR: dir },
      mark: dir,
    });
    try {
      if (await settled(said.promise, SAID_MS_MAX)) return (await said.promise).split("\n");
      throw new Error(`the page said nothing; the browser: ${browser.tail()}`);
    } finally {
      await browser.stop("SIGTERM", 5_000);
      await Deno.remove(join(dir), { recursive: true }).catch(() => {});
    }
  }
  return { origin, saidBy, [Symbol.asyncDispose]: () => serving.shutdown() };
}
