/** Slices of long work beside sockets: between two of them the process looks at what has come in. */
import { assert, assertRejects } from "@std/assert";
import net from "node:net";
import { inSlices, SHARE_MS } from "../../src/rpc/time_slices.ts";

const TRIPS = 3;
/** Far more work than there is time for in so many trips, if each takes a few turns. */
const ITEMS = 600;

Deno.test("a socket is served between the slices, and not once in many of them", async () => {
  const echo = net.createServer((socket) => socket.pipe(socket));
  await new Promise<void>((resolve) => echo.listen(0, "127.0.0.1", resolve));
  const socket = net.connect((echo.address() as net.AddressInfo).port, "127.0.0.1");
  await new Promise<void>((resolve) => socket.once("connect", resolve));
  const call = new AbortController();
  let items = 0;
  const work = inSlices(Array.from({ length: ITEMS }), call.signal, () => {
    const untilMs = performance.now() + SHARE_MS;
    while (performance.now() < untilMs);
    items++;
  });
  const trips = (async () => {
    for (let i = 0; i < TRIPS; i++) {
      const { promise, resolve } = Promise.withResolvers<unknown>();
      socket.once("data", resolve);
      socket.write("x");
      await promise;
    }
    call.abort(new Error("enough"));
  })();
  await assertRejects(() => work, Error, "enough");
  await trips;
  assert(items > 0 && items < ITEMS);
  socket.destroy();
  await new Promise((resolve) => echo.close(resolve));
});
