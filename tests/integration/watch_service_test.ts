/** WatchService over the wire: what there is, what changes, and where a stream goes on. */
import { assert, assertEquals } from "@std/assert";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { startApp } from "../../src/app.ts";
import { loadConfig } from "../../src/config/config.ts";
import { InventoryService } from "../../src/gen/inventory/v1/inventory_pb.ts";
import { WatchEnd, type WatchInvResponse, WatchService, WatchStart } from "../../src/gen/inventory/v1/watch_pb.ts";
import { createLog } from "../../src/telemetry/create_log.ts";
import { createTestDatabase } from "../support/database.ts";

const log = createLog("error", "pretty");

/** What a stream says up to and with the first message that is wanted. */
async function upTo<M extends { readonly event: { readonly case?: string | undefined } }>(
  messages: AsyncIterator<M>,
  wanted: (message: M) => boolean,
): Promise<M[]> {
  const all: M[] = [];
  for (;;) {
    const { value, done } = await messages.next();
    assert(!done, "the stream ended");
    all.push(value);
    if (wanted(value)) return all;
  }
}

const isComplete = ({ event }: WatchInvResponse) => event.case === "snapshot" && event.value.complete;
const isChange = ({ event }: WatchInvResponse) => event.case === "changes";

Deno.test("a stream has what there is, then what changes, goes on where it ended, and ends with the server", async () => {
  await using database = await createTestDatabase();
  const given: Record<string, string> = { PORT: "0", CONCURRENCY: "optimistic", DATABASE_URL: database.serverUrl };
  const app = await startApp(loadConfig((name) => given[name]), { log });
  const transport = createGrpcTransport({ baseUrl: app.url });
  const stock = createClient(InventoryService, transport);
  const watch = createClient(WatchService, transport);
  try {
    await stock.setInv({ goodsId: 1, num: 10 });
    await stock.setInv({ goodsId: 2, num: 20 });
    const messages = watch.watchInv({})[Symbol.asyncIterator]();
    const begin = await upTo(messages, isComplete);
    assertEquals(begin.map(({ event }) => event.case), ["started", "snapshot"]);
    const [started, snapshot] = begin.map(({ event }) => event);
    assert(started?.case === "started" && started.value.start === WatchStart.SNAPSHOT);
    assert(snapshot?.case === "snapshot");
    assertEquals(snapshot.value.levels.map(({ goodsId, num }) => [goodsId, num]), [[1, 10], [2, 20]]);
    await stock.sell({ orderId: "order-1", goodsInfo: [{ goodsId: 2, num: 3 }] });
    const said = await upTo(messages, isChange);
    const sold = said.at(-1)!;
    assert(sold.event.case === "changes");
    assertEquals(
      sold.event.value.changes.map(({ level, orderId, folded }) => [level?.goodsId, level?.num, orderId, folded]),
      [[2, 17, "order-1", 0]],
    );
    // Where something else is under way there is none with the change, and it comes behind it.
    if (sold.resumeToken === "") said.push(...await upTo(messages, (message) => message.resumeToken !== ""));
    const { resumeToken } = said.at(-1)!;
    await messages.return?.();

    await stock.sell({ orderId: "order-2", goodsInfo: [{ goodsId: 1, num: 1 }] });
    const resumed = watch.watchInv({ resumeToken })[Symbol.asyncIterator]();
    const again = await upTo(resumed, isChange);
    const [first, change] = again.map(({ event }) => event);
    assert(first?.case === "started" && first.value.start === WatchStart.RESUMED);
    assert(change?.case === "changes");
    assertEquals(change.value.changes.map(({ level, orderId }) => [level?.goodsId, level?.num, orderId]), [
      [1, 9, "order-2"],
    ]);

    const ledger = watch.watchMovements({ from: { case: "beginning", value: true } })[Symbol.asyncIterator]();
    const [, rows] = await upTo(ledger, ({ event }) => event.case === "movements");
    assert(rows?.event.case === "movements");
    assertEquals(rows.event.value.movements.map(({ goodsId, version }) => [goodsId, version]), [
      [1, 1n],
      [2, 1n],
      [2, 2n],
      [1, 2n],
    ]);
    const closed = app.close();
    const ended = await upTo(resumed, ({ event }) => event.case === "ended");
    const last = ended.at(-1)!.event;
    assert(last.case === "ended" && last.value.end === WatchEnd.DRAINING);
    await upTo(ledger, ({ event }) => event.case === "ended");
    await closed;
  } finally {
    await app.close();
  }
});
