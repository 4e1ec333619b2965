/** How a client of the pool dials, without the driver. */
import type { Socket } from "node:net";
import { assertEquals, assertRejects } from "@std/assert";
import { parsePostgresAddress } from "../../src/config/postgres_address.ts";
import { DatabaseUnavailableError } from "../../src/store/errors.ts";
import { Dialer } from "../../src/store/postgres/dialer.ts";

Deno.test("who was given up while its host was looked for dials nobody", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const found = Promise.withResolvers<number>();
  const dialer = new Dialer({
    address: parsePostgresAddress(`postgres://a@127.0.0.1:${port}/a?sslmode=disable`),
    connectTimeoutMs: 5000,
    primary: { find: () => found.promise, isKnown: () => true, doubt() {}, forget() {} },
  });
  const dial = dialer.options["socket"] as () => Promise<Socket>;
  const dialling = dial();
  dialer.destroy();
  found.resolve(0);
  await assertRejects(() => dialling, DatabaseUnavailableError, "given up");
  // Whoever comes in first is the first that dialled.
  using own = await Deno.connect({ hostname: "127.0.0.1", port });
  using first = await listener.accept();
  assertEquals(first.remoteAddr, own.localAddr);
});
