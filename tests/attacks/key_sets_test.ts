/**
 * What answers where an issuer's keys should be: garbage, no end, nothing, another place. The read ends in time and
 * takes none of it.
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { gzipSync } from "node:zlib";
import { freePort } from "../../tools/stack/ports.ts";
import { readKeySetText } from "../../src/auth/jwt_key_place.ts";
import { KEY_SET_BYTES_MAX, KeySetError, parseKeySet } from "../../src/auth/jwt_key_set.ts";
import { newIssuer } from "../support/tokens.ts";

/** Of reads that come to nothing, and of those that come to something. */
const MS_MAX = 400;
const ENOUGH_MS = 60_000;
const JSON_TYPE = { "content-type": "application/json" };

Deno.test("no answer but a key set is taken, however it comes, and no place but the one of the settings is asked", async () => {
  const { keySet, publicKey } = await newIssuer();
  const asked: string[] = [];
  const [ended, over] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const space = new TextEncoder().encode(" ".repeat(16 * 1024));
  let sent = 0;
  const endless = (everyMs: number, chunk: Uint8Array<ArrayBuffer>) => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    return new ReadableStream<Uint8Array<ArrayBuffer>>({
      pull(controller) {
        return new Promise((resolve) => {
          timer = setTimeout(() => {
            sent += chunk.length;
            controller.enqueue(chunk);
            resolve();
          }, everyMs);
        });
      },
      cancel() {
        clearTimeout(timer);
        ended.resolve();
      },
    });
  };
  const answers: Record<string, () => Response> = {
    good: () => new Response(keySet),
    garbage: () => new Response("\u0000<html>".repeat(100)),
    binary: () => new Response(crypto.getRandomValues(new Uint8Array(10_000))),
    moved: () => new Response(null, { status: 302, headers: { location: "/good" } }),
    "moved for good": () => new Response(keySet, { status: 308, headers: { location: "/good" } }),
    error: () => new Response(keySet, { status: 500 }),
    part: () => new Response(keySet, { status: 206 }),
    none: () => new Response(null, { status: 204 }),
    large: () => new Response("x".repeat(KEY_SET_BYTES_MAX + 1)),
    bomb: () =>
      new Response(new Uint8Array(gzipSync(" ".repeat(50_000_000))), { headers: { "content-encoding": "gzip" } }),
    endless: () => new Response(endless(0, space), { headers: JSON_TYPE }),
    slow: () => new Response(endless(20, space.subarray(0, 1)), { headers: JSON_TYPE }),
    many: () => new Response(JSON.stringify({ keys: Array(10_000).fill({ kty: "RSA" }) })),
    deep: () => new Response("[".repeat(100_000)),
  };
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    const path = decodeURIComponent(new URL(request.url).pathname.slice(1));
    asked.push(path);
    // Whoever waits for an answer for good has one at the end of the test.
    return path === "silent" ? over.promise.then(() => new Response()) : answers[path]!();
  });
  // Else the server would wait for good for the one that is silent.
  using _silent = { [Symbol.dispose]: () => over.resolve() };
  const read = async (path: string, isLate = false) => {
    const url = `http://127.0.0.1:${server.addr.port}/${path}`;
    return parseKeySet(await readKeySetText({ url }, new AbortController().signal, isLate ? MS_MAX : ENOUGH_MS));
  };

  assertEquals((await read("good")).ids, [publicKey.kid!]);
  const late = `has not answered in whole within ${MS_MAX} ms`;
  const large = `has more than ${KEY_SET_BYTES_MAX} bytes`;
  const cases: [path: string, problem: string][] = [
    ["garbage", "is no JSON"],
    ["binary", "is no JSON"],
    ["moved", "answers with status 302, expected the keys there and not a redirect"],
    ["moved for good", "answers with status 308, expected the keys there and not a redirect"],
    ["error", "answers with status 500"],
    ["part", "answers with status 206"],
    ["none", "answers with status 204"],
    ["large", large],
    ["bomb", large],
    ["endless", large],
    ["silent", late],
    ["slow", late],
    ["many", "has 10000 keys, expected 100 or fewer"],
    ["deep", "is no JSON"],
  ];
  for (const [path, problem] of cases) {
    const error = await assertRejects(() => read(path, problem === late), KeySetError);
    assertEquals(error.message.slice(0, problem.length), problem, path);
  }
  await ended.promise;
  assert(sent < 8 * KEY_SET_BYTES_MAX, `${sent} bytes were taken of an answer without an end`);
  assertEquals(asked.filter((path) => path === "good").length, 1, "a redirect was followed");
});

Deno.test("nobody there, and a stop in the middle, end the read", async () => {
  const port = freePort();
  const listener = Deno.listen({ hostname: "127.0.0.1", port });
  const url = `http://127.0.0.1:${port}/`;
  const stopping = new AbortController();
  const read = readKeySetText({ url }, stopping.signal);
  const connection = await listener.accept();
  stopping.abort();
  await assertRejects(() => read, KeySetError, "can't be reached");
  connection.close();
  listener.close();
  await assertRejects(() => readKeySetText({ url }, new AbortController().signal), KeySetError, "can't be reached");
});

Deno.test("a file that is none, or too large, is not waited for and not read", async () => {
  const dir = await Deno.makeTempDir();
  const cases: [make: () => Promise<unknown>, problem: string][] = [
    [() => Promise.resolve(), "there is no such file"],
    [() => Deno.mkdir(`${dir}/keys`), "is a directory"],
    [() => Deno.writeTextFile(`${dir}/keys`, "x".repeat(KEY_SET_BYTES_MAX + 1)), "has more than"],
  ];
  try {
    for (const [make, problem] of cases) {
      await Deno.remove(`${dir}/keys`).catch(() => {});
      await make();
      const read = () => readKeySetText({ file: `${dir}/keys` }, new AbortController().signal);
      await assertRejects(read, KeySetError, problem);
    }
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
