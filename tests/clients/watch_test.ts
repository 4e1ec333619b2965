/** The loop of docs/clients.md by which pages and Node watch, where a stream is not all that can go wrong. */
import { assertEquals, assertRejects } from "@std/assert";
import { watchModule } from "../support/talks.ts";

Deno.test("the loop of docs/clients.md ends with what its taker throws, and does not take that for a broken stream", async () => {
  const { watch } = await watchModule();
  const over = new AbortController();
  let streams = 0;
  async function* method() {
    if (++streams > 1) over.abort();
    yield { resumeToken: "" };
  }
  const take = () => {
    throw new TypeError("a fault of the taker");
  };
  await assertRejects(() => watch(method, {}, take, { signal: over.signal }), TypeError, "a fault of the taker");
  assertEquals(streams, 1);
});
