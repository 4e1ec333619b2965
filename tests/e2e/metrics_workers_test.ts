/** Several workers: each shows its own metrics, and one port sums them up, whatever becomes of a worker. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { until } from "../../src/base/bounded_wait.ts";
import { InventoryService } from "../../src/gen/inventory/v1/inventory_pb.ts";
import { call } from "../support/callers.ts";
import { eventually } from "../support/eventually.ts";
import { askedAt, scrape } from "../support/scrape.ts";
import { signal } from "../support/workers.ts";
import { runServer, serverTest } from "../support/server.ts";

const WORKERS = 2;
const CALLS = 40;
const DETAIL = { rpc_method: `${InventoryService.typeName}/InvDetail`, rpc_response_status_code: "NOT_FOUND" };
const WAIT_MS_MAX = 30_000;

serverTest(
  "the port that sums up counts every call of every worker once, and loses none when a worker dies",
  { workers: WORKERS, env: { ADMIN_PORT: "0" } },
  async ({ url, adminUrl, output, stop, exited }, step) => {
    const details = async () => {
      for (let i = 0; i < CALLS; i++) assertEquals((await call(url, "InvDetail", { goodsId: 404 })).code, "not_found");
    };
    /** A worker that is late to answer, on a busy machine, is counted as it was; one call too many stays. */
    const addsUpTo = (count: number) =>
      eventually(
        async () => (await scrape(adminUrl)).sum("rpc_server_call_duration_seconds_count", DETAIL) === count,
        `${count} calls are counted`,
      );
    const own = () =>
      [...output.stderr.matchAll(/"worker":(\d+),"url":"([^"]+)","msg":"metrics and health are here"/g)]
        .map(([, worker = "", at = ""]) => ({ worker, at }));

    await step("ready, with each worker's word", async () => {
      // Health was seen to be good of one of them.
      let [status, text] = [0, ""];
      await until(async () => ([status, text] = await askedAt(`${adminUrl}/readyz`))[0] === 200, WAIT_MS_MAX);
      assertEquals(status, 200, text);
      assertEquals(text.split("\n")[0], "SERVING");
      for (let worker = 1; worker <= WORKERS; worker++) assertStringIncludes(text, `worker ${worker}: SERVING`);
      assertEquals((await askedAt(`${adminUrl}/livez`))[0], 200);
    });

    await step("the sum is that of the workers' own", async () => {
      await details();
      await addsUpTo(CALLS);
      const owns = await Promise.all(
        own().map(async ({ at }) => (await scrape(at)).sum("rpc_server_call_duration_seconds_count", DETAIL)),
      );
      assertEquals([owns.length, owns.reduce((sum, count) => sum + count, 0)], [WORKERS, CALLS]);
      let scraped = await scrape(adminUrl);
      const isWhole = async () =>
        (scraped = await scrape(adminUrl)).value("holdfast_workers", { state: "answering" }) === WORKERS;
      await eventually(isWhole, "all workers answer");
      assertEquals(scraped.value("holdfast_lock_quorum"), 3, "what is the same for all is no sum");
      assertEquals(scraped.value("holdfast_operations_in_progress_max"), WORKERS * 10_000);
    });

    await step("a worker that is killed takes nothing out of the sum", async () => {
      const pid = Number(/"worker":2,"pid":(\d+),"msg":"worker started"/.exec(output.stderr)?.[1]);
      assert(pid > 0, output.stderr);
      await signal(pid, "SIGKILL");
      await until(() => output.stderr.includes(`"pid":${pid},"code"`), WAIT_MS_MAX);
      await addsUpTo(CALLS);
      // A third has come in its place.
      await until(() => own().length === WORKERS + 1, WAIT_MS_MAX);
      await until(
        async () => (await scrape(adminUrl)).value("holdfast_workers", { state: "answering" }) === WORKERS,
        WAIT_MS_MAX,
      );
      await addsUpTo(CALLS);
      await until(async () => (await askedAt(`${adminUrl}/readyz`))[0] === 200, WAIT_MS_MAX);
      await details();
      await addsUpTo(2 * CALLS);
    });

    await step("it goes with the service", async () => {
      assertEquals(await stop(), 0);
      assertEquals(await exited, 0);
      assertEquals(await askedAt(`${adminUrl}/livez`).then(() => "answered", () => "gone"), "gone");
    });
  },
);

Deno.test("an ADMIN_PORT that was set and is taken ends the start with 78 and names the setting", async (t) => {
  const taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr as Deno.NetAddr;
  for (const workers of [undefined, 2]) {
    await t.step(workers === undefined ? "one process" : `${workers} workers`, async () => {
      const { code, stdout, stderr } = await runServer({
        env: { ADMIN_PORT: String(port) },
        ...(workers === undefined ? {} : { workers }),
      });
      assertEquals([code, stdout], [78, ""]);
      assertStringIncludes(stderr, `ADMIN_PORT: can't listen on 127.0.0.1:${port} (EADDRINUSE)`);
      assertStringIncludes(stderr, "set ADMIN_PORT to a port that is free here, or to off");
    });
  }
  taken.close();
});
