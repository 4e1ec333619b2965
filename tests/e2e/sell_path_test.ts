/** The path of a Sell, as docs/architecture.md shows it file by file, is what runs for each of many. */
import { assert, assertEquals } from "@std/assert";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { InventoryService } from "../../src/gen/inventory/v1/inventory_pb.ts";
import { eventually } from "../support/eventually.ts";
import { filesRun } from "../support/files_run.ts";
import { startServer } from "../support/server.ts";

/** More than any loop of the start is gone through: the largest, over all messages' fields, by more than 650. */
const SELLS = 900;
/** By turns, so that the lease of each has been released when it is sold the next time. */
const GOODS = 20;
/**
 * Who took longer for a sale had a starved machine, and so more to do: levels are read for again after two seconds,
 * whoever has a lease looks after 50 ms whether others want it, and there are timers. At 44 ms none of that ran for
 * more than 0.6 of the sales, at 68 ms some for all of them.
 */
const SELL_MS_MAX = 40;
/** What is said of both that a process has to reach before it sells. */
const READY = [`"dependency":"PostgreSQL","msg":"ready"`, `"dependency":"Redis quorum","msg":"ready"`];
/** Files that hand on to one another, without what they ask meanwhile. */
const PATH_FILES_MAX = 35;

Deno.test("the files of a Sell in docs/architecture.md are those that run for every Sell, and the path has 35 at most", async () => {
  const { path, asked } = documented();
  assert(path.length <= PATH_FILES_MAX, `${path.length} files`);
  const coverage = await Deno.makeTempDir();
  let tookMs: number;
  {
    await using server = await startServer({
      env: { CONCURRENCY: "redlock" },
      flags: (flags) => [...flags, `--coverage=${coverage}`],
      // Each look at its health would be a call, and of a slow start so many that they counted.
      healthy: false,
    });
    await eventually(() => READY.every((line) => server.output.stderr.includes(line)), "it may sell");
    const client = createClient(InventoryService, createGrpcTransport({ baseUrl: server.url }));
    for (let goodsId = 1; goodsId <= GOODS; goodsId++) await client.setInv({ goodsId, num: SELLS });
    const startedMs = performance.now();
    for (let i = 0; i < SELLS; i++) {
      await client.sell({ orderId: `o-${i}`, goodsInfo: [{ goodsId: 1 + i % GOODS, num: 1 }] });
    }
    tookMs = performance.now() - startedMs;
    assertEquals(await server.stop(), 0);
  }
  const ran = await filesRun(coverage, SELLS);
  const named = [...path, ...asked].sort();
  assertEquals(named.filter((file) => !ran.includes(file)), [], "named, and not run for every Sell");
  const more = ran.filter((file) => !named.includes(file));
  if (tookMs > SELLS * SELL_MS_MAX) console.log(`too slow to know whether these run for every Sell: ${more}`);
  else assertEquals(more, [], "run for every Sell, and not named");
  await Deno.remove(coverage, { recursive: true });
});

/** The two columns of the page: the path, and what is asked on it. */
function documented(): { readonly path: readonly string[]; readonly asked: readonly string[] } {
  const page = Deno.readTextFileSync(new URL("../../docs/architecture.md", import.meta.url));
  const [, section = ""] = page.split("\n## The life of one Sell\n");
  const rows = [...section.split("\n## ")[0]!.matchAll(/^\| (`[^|]+) \|[^|]*\|([^|]*)\|$/gm)];
  const files = (text: string) => [...text.matchAll(/`([a-z0-9_/]+\.ts)`/g)].map(([, file]) => `src/${file}`);
  return {
    path: rows.flatMap(([, file = ""]) => files(file)),
    asked: [...new Set(rows.flatMap(([, , asks = ""]) => files(asks)))],
  };
}
