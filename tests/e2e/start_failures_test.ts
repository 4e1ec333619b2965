/**
 * Starts that can't come to anything: each ends, with an exit code that is not 0 and one message that says what was
 * expected.
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { runServer, type ServerOptions } from "../support/server.ts";

const EXIT_UNUSABLE = 78;

/** An address that is nobody's (RFC 5737), and names that nobody can have (RFC 6761). */
const FOREIGN = ["192.0.2.1", "2001:db8::1", "nobody.invalid"];

for (const workers of [undefined, 2]) {
  Deno.test(`an address that can't be listened on ends the start with 78${workers ? ", with workers too" : ""}`, async () => {
    for (const host of workers === undefined ? FOREIGN : FOREIGN.slice(0, 1)) {
      const shown = host.includes(":") ? `[${host}]` : host;
      const allowed = (flags: readonly string[]) =>
        flags.map((flag) => flag.startsWith("--allow-net=") ? `${flag},${shown}` : flag);
      await refused(
        { env: { HOST: host, AUTH: "none" }, flags: allowed, ...(workers ? { workers } : {}) },
        `Cannot listen on ${shown}:0 (`,
      );
    }
  });
}

Deno.test({
  name: "a port that this user may not listen on ends the start with 78, with workers too",
  ignore: !Deno.build.os.includes("linux"),
  async fn() {
    // Root may listen on any port, but not without the right to.
    const drop = Deno.uid() === 0 ? "setpriv --bounding-set=-net_bind_service " : "";
    for (const WORKERS of ["1", "2"]) {
      await refused(
        { line: `${drop}bin/holdfast`, env: { PORT: "80", WORKERS } },
        "Cannot listen on 127.0.0.1:80 (EACCES): set PORT",
      );
    }
  },
});

Deno.test("a port that others can reach, without a word on who may call, ends the start with 78", async () => {
  const words = "AUTH: expected, as HOST (0.0.0.0) can be reached from other machines: keys, jwt, mtls, or several";
  await refused({ env: { HOST: "0.0.0.0" } }, words);
});

async function refused(options: ServerOptions, words: string, expected = EXIT_UNUSABLE) {
  const result = await runServer(options);
  assertEquals([result.code, result.stdout], [expected, ""], result.stderr);
  assertStringIncludes(result.stderr, words);
  assertEquals(result.stderr.match(/^Cannot /gm)?.length, 1, result.stderr);
  assert(!result.stderr.includes("    at "), result.stderr);
  return result;
}
