import { assert, assertEquals } from "@std/assert";
import { freePort, freePorts, portIsFree } from "../../tools/stack/ports.ts";

Deno.test("ports for servers that cannot look for another are none of those that others take", () => {
  const [ports, searched] = [freePorts(200), Array.from({ length: 200 }, freePort)];
  assertEquals(new Set(ports).size, ports.length);
  assert(ports.every((port) => port > 29_999 && port < 32_768));
  assert(searched.every((port) => port >= 20_000 && port <= 29_999));
});

Deno.test("a port that somebody listens on is not free", () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  assert(!portIsFree(listener.addr.port));
});
