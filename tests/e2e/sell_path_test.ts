/** The path of a Sell, as docs/architecture.md shows it file by file, is what runs for each of many. */
import { assert, assertEquals } from "@std/assert";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { InventoryService } from "../../src/gen/inventory/v1/inventory_pb.ts";
import { filesRun } from "../support/files_run.ts";
import { startServer } from "../support/server.ts";

/** More than any loop of the start is gone through: the largest, over all messages' fields, by more than 650. */
const SELLS = 900;
/**
 * By turns, so that the lease of each has been released when it is sold the next time, and no more of them, so that
 * what the process keeps of each is not too old by then, on a starved machine either: a sale of an old level reads.
 */
const GOODS = 20;
/** Files that hand on to one another, without what they ask meanwhile. */
const PATH_FILES_MAX = 35;

Deno.test("the files of a Sell in docs/architecture.md are those that run for every Sell, and the path has 35 at most", async () => {
  const { path, asked } = documented();
  assert(path.length <= PATH_FILES_MAX, `${path.length} files`);
  const coverage = await Deno.makeTempDir();
  {
    await using server = await startServer({
      env: { CONCURRENCY: "redlock" },
      flags: (flags) => [...flags, `--coverage=${coverage}`],
    });
    const client = createClient(InventoryService, createGrpcTransport({ baseUrl: server.url }));
    for (let goodsId = 1; goodsId <= GOODS; goodsId++) await client.setInv({ goodsId, num: SELLS });
    for (let i = 0; i < SELLS; i++) {
      await client.sell({ orderId: `o-${i}`, goodsInfo: [{ goodsId: 1 + i % GOODS, num: 1 }] });
    }
    assertEquals(await server.stop(), 0);
  }
  assertEquals([...path, ...asked].sort(), await filesRun(coverage, SELLS));
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
