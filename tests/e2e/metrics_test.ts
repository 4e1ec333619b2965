/** The admin port of the real program: what it shows, to whom, and that what it counts is what was done. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { askedAt as text, scrape } from "../support/scrape.ts";
import { serverTest } from "../support/server.ts";

serverTest("the admin port shows health with its reasons, and metrics", {}, async ({ adminUrl }, step) => {
  await step("/livez and /readyz", async () => {
    assertEquals(await text(`${adminUrl}/livez`), [200, "ALIVE\n"]);
    assertEquals(await text(`${adminUrl}/readyz`), [200, "SERVING\nPostgreSQL: ready\nRedis quorum: ready\n"]);
  });

  await step("/metrics", async () => {
    const scraped = await scrape(adminUrl);
    assertEquals(scraped.value("holdfast_ready"), 1);
    assertEquals(scraped.value("holdfast_lock_quorum"), 3);
    assertEquals(scraped.value("holdfast_lock_node_state", { node: "5", state: "up" }), 1);
    assert(scraped.value("process_resident_memory_bytes") > 10_000_000);
  });

  await step("only pages that there are, by GET and HEAD, under a name of this machine", async () => {
    assertEquals((await text(`${adminUrl}/metrics`, { method: "HEAD" }))[1], "");
    assertEquals((await text(`${adminUrl}/metrics`, { method: "POST", body: "{}" }))[0], 405);
    assertEquals((await text(`${adminUrl}/inventory.v1.InventoryService/InvDetail`))[0], 404);
    const [status, said] = await text(`${adminUrl}/metrics`, { headers: { host: "attacker.example" } });
    assertEquals(status, 403);
    assertStringIncludes(said, "expected an address, localhost or a name of ALLOWED_HOSTS, got attacker.example");
    assertEquals((await text(`${adminUrl}/metrics`, { headers: { origin: "https://shop.example" } }))[0], 403);
  });
});
