/** What deploy/ says to HAProxy, compared with what docs/operating.md asks of the servers behind it. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";

const OPERATING = Deno.readTextFileSync("docs/operating.md");

for (const file of ["deploy/haproxy/haproxy.cfg", "deploy/haproxy/by_goods.cfg"]) {
  const text = Deno.readTextFileSync(file);
  const [defaultServer = ""] = /^ *default-server .*$/m.exec(text) ?? [];

  Deno.test(`${file}: checks leave nothing behind in the server, and a busy one is not given up`, () => {
    assertStringIncludes(defaultServer, " check check-proto h1 ");
    assertEquals(/^ *timeout check (\d+)s$/m.exec(text)?.[1], "3");
  });

  Deno.test(`${file}: a server that leaves gets no more calls within the delay that the page names`, () => {
    const [, inter, fall] = /inter (\d+)s fall (\d+)/.exec(defaultServer) ?? [];
    const [, delayMs] = /HAProxy, as .*\| +(\d+) +\|/.exec(OPERATING) ?? [];
    // A check is just over when the server says so, and another takes as long as the last.
    assert(Number(delayMs) >= (Number(fall) + 1) * Number(inter) * 1000, `${delayMs} ms for ${defaultServer}`);
  });
}
