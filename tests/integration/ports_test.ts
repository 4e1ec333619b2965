import { assert, assertEquals, assertRejects } from "@std/assert";
import { freePort, freePorts, onFreePort, portIsFree } from "../../tools/stack/ports.ts";

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

Deno.test("a server whose port was taken meanwhile is started on another one, some times, and fails for all else", async () => {
  const ports: number[] = [];
  const startsAt = (start: number, words: string) => (port: number) => {
    ports.push(port);
    return ports.length === start ? Promise.resolve(port) : Promise.reject(new Error(words));
  };
  const TAKEN = "does not start: bind() to 127.0.0.1 failed (98: Address already in use)";
  assertEquals(await onFreePort(startsAt(3, TAKEN)), ports[2]);
  assertEquals(new Set(ports.splice(0)).size, 3);
  await assertRejects(() => onFreePort(startsAt(4, TAKEN)), Error, "already in use");
  assertEquals(ports.splice(0).length, 3);
  await assertRejects(() => onFreePort(startsAt(2, "does not start: no such file")), Error, "no such file");
  assertEquals(ports.length, 1);
});
