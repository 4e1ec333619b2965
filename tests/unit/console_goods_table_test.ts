/** The goods page's table without a browser: its cursor, its chosen rows, its highlights, and a session of edits. */
import { assert, assertEquals } from "@std/assert";
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { type Cell, type Move, moved, moveOf } from "../../src/console/goods/columns.ts";
import { type EditCalls, EditSession } from "../../src/console/goods/edit_session.ts";
import { EDITS_MAX } from "../../src/console/goods/edit_sheet.ts";
import { Flashes } from "../../src/console/goods/flashes.ts";
import { hasUnsaved, keptSessions } from "../../src/console/goods/kept_edits.ts";
import { GoodsModel } from "../../src/console/goods/goods_model.ts";
import type { ListPage } from "../../src/console/goods/goods_list.ts";
import { type ListState, readListState } from "../../src/console/goods/list_state.ts";
import { keyOf, type Row } from "../../src/console/goods/row.ts";
import { Selection } from "../../src/console/goods/selection.ts";
import { type ApplyBatchRequest, type BatchVerdict, BatchVerdictSchema } from "../../src/gen/inventory/v1/stock_pb.ts";
import { consoleRow } from "../support/console_row.ts";

function row(goodsId: number, rest: Partial<Row> = {}): Row {
  return consoleRow(goodsId, { sku: `SKU-${goodsId}`, ...rest });
}

Deno.test("the cursor stays in the table whatever moves it", () => {
  const size = { rows: 100, columns: 9, perView: 10 };
  const cases: readonly (readonly [Cell, Move, Cell])[] = [
    [{ row: 0, column: 0 }, "up", { row: -1, column: 0 }],
    [{ row: -1, column: 3 }, "up", { row: -1, column: 3 }],
    [{ row: -1, column: 3 }, "page_up", { row: 0, column: 3 }],
    [{ row: 95, column: 3 }, "page_down", { row: 99, column: 3 }],
    [{ row: 99, column: 3 }, "down", { row: 99, column: 3 }],
    [{ row: 5, column: 0 }, "left", { row: 5, column: 0 }],
    [{ row: 5, column: 8 }, "right", { row: 5, column: 8 }],
    [{ row: 5, column: 4 }, "home", { row: 5, column: 0 }],
    [{ row: 5, column: 4 }, "end", { row: 5, column: 8 }],
    [{ row: 5, column: 4 }, "first", { row: 0, column: 0 }],
    [{ row: 5, column: 4 }, "last", { row: 99, column: 8 }],
  ];
  for (const [cell, move, expected] of cases) assertEquals(moved(cell, move, size), expected, move);
  assertEquals(moved({ row: -1, column: 0 }, "down", { ...size, rows: 0 }), { row: -1, column: 0 });
  assertEquals([moveOf("Home", false), moveOf("Home", true), moveOf("x", false)], ["home", "first", undefined]);
});

Deno.test("rows are chosen one by one and in ranges, as many as can be edited at once", () => {
  const list = { count: 8000, at: (index: number) => index < 7000 ? row(index + 1) : undefined };
  const selection = new Selection();
  selection.toggle(list, 4);
  selection.extend(list, 2);
  assertEquals(selection.rows(list).map(({ goodsId }) => goodsId), [3, 4, 5]);
  selection.toggle(list, 3);
  selection.toggle(list, 7999);
  assertEquals(selection.rowsOrFrom(list, 50).map(({ goodsId }) => goodsId), [3, 5], "one that is not read is not");
  assert(!selection.all(list));
  assertEquals(selection.size, EDITS_MAX);
  selection.clear();
  assertEquals(selection.rowsOrFrom(list, 6998).map(({ goodsId }) => goodsId), [6999, 7000]);
});

Deno.test("a row is highlighted anew with each change, and not when it comes into view", () => {
  const flashes = new Flashes();
  assert(!flashes.note(new Set([9]), [1, 2]));
  assert(flashes.note(new Set([1]), [1, 2]));
  assertEquals([flashes.of(1), flashes.of(2)], ["a", undefined]);
  flashes.note(new Set([1]), [1, 2]);
  assertEquals(flashes.of(1), "b");
  flashes.note(new Set([2]), [2]);
  assertEquals(flashes.of(1), undefined, "it left the view");
  flashes.end(2);
  assertEquals(flashes.of(2), undefined);
});

/** A server that answers each batch by `answer`. */
function calls(answer: (request: ApplyBatchRequest, round: number) => readonly BatchVerdict[]) {
  const requests: ApplyBatchRequest[] = [];
  let id = 0;
  const made: EditCalls = {
    batch: (request) => {
      requests.push(request);
      return Promise.resolve(answer(request, requests.length));
    },
    find: (names) => Promise.resolve(names.filter((name) => name === "FAR").map(() => row(900, { sku: "FAR" }))),
    nowMs: () => 0,
    makeId: () => `${++id}`,
  };
  return { made, requests };
}

const APPLIED = create(BatchVerdictSchema, { outcome: { case: "setInv", value: {} } });

function sessionOf(answer: Parameters<typeof calls>[0], rows: readonly Row[]) {
  const { made, requests } = calls(answer);
  const session = new EditSession("available", made);
  session.show({ get: (key) => rows.find((each) => keyOf(each) === key), all: () => rows, changed: () => {} });
  return { session, requests };
}

Deno.test("more edits than a batch has go in several, each once, and what gets no answer waits for the next press", async () => {
  const rows = Array.from({ length: 1200 }, (_, i) => row(i + 1));
  const { session, requests } = sessionOf(({ operations }, round) => {
    if (round === 2) throw new ConnectError("away", Code.Unavailable);
    return operations.map(() => APPLIED);
  }, rows);
  session.typeAll(rows, "9");
  await session.apply();
  assertEquals(requests.map(({ operations }) => operations.length), [500, 500, 200]);
  const states = () => Object.groupBy([...session.sheet.all()], ({ state }) => state);
  assertEquals([states().applied?.length, states().unknown?.length], [700, 500]);
  assertEquals(session.sheet.get(session.review![0]!)!.state, "unknown", "what needs a look stands first");
  await session.apply();
  assertEquals(requests.length, 4);
  assertEquals(states().applied?.length, 500);
});

Deno.test("who goes on before the list has heard of what was applied goes on from that", async () => {
  const rows = [row(1), row(2)];
  const applied = ({ operations }: ApplyBatchRequest) =>
    operations.map(({ operation: { value } }) => {
      const { goodsId, num } = value as { goodsId: number; num: number };
      const level = { goodsId, num, onHand: num + 3, reserved: 3, version: 2n };
      return create(BatchVerdictSchema, { outcome: { case: "setInv", value: level } });
    });
  const { session } = sessionOf(applied, rows);
  const seen = (goodsId: number) => session.sheet.get(goodsId)?.seen.num;
  session.typeAll(rows, "80");
  await session.apply();
  session.clear();
  session.type(rows[0]!, "90");
  assertEquals(seen(1), 80);
  await session.paste("SKU-1\t81\nSKU-2\t82", []);
  assertEquals([seen(1), seen(2)], [80, 80]);
  session.clear();
  session.typeAll(rows, "80");
  assertEquals(session.sheet.size, 0, "so many are there");
  rows[1] = row(2, { num: 70, version: 3 });
  session.type(rows[1]!, "80");
  assertEquals(seen(2), 70, "what the list has is newer");
});

Deno.test("a list that is pasted finds its goods also where they are not listed, and says what it could not take", async () => {
  const { session } = sessionOf(() => [], [row(1), row(2)]);
  await session.paste("SKU-1\t7\nFAR\t8\nSKU-2\t5\nNONE\t9\nSKU-1\tx", []);
  const { taken, unchanged, problems } = session.report!;
  assertEquals([taken, unchanged], [2, 1]);
  assertEquals(problems.map(({ line, problem }) => [line, problem]), [[4, "unknown_goods"], [5, "not_a_number"]]);
  assertEquals(session.review, [1, 900]);
  assertEquals(session.row(900)?.sku, "FAR");
  session.drop(1);
  session.drop(900);
  assertEquals([session.review, session.sheet.size], [undefined, 0]);
});

Deno.test("a list whose goods can't be looked up is said not to be taken in", async () => {
  const { made } = calls(() => []);
  const away = new ConnectError("away", Code.Unavailable);
  const session = new EditSession("available", { ...made, find: () => Promise.reject(away) });
  session.show({ get: () => undefined, all: () => [row(1)], changed: () => {} });
  await session.paste("SKU-1\t7\nFAR\t8", []);
  assertEquals([session.report?.error, session.report?.taken, session.sheet.size, session.isBusy], [away, 0, 0, false]);
  await session.paste("SKU-1\t7", []);
  assertEquals([session.report?.error, session.report?.taken], [undefined, 1]);
});

Deno.test("edits of one reader stay through another key, and nobody else gets them", () => {
  const caller = (name: string) => ({ caller: { kind: "key", name } });
  const sessions = keptSessions(caller("ann"));
  const session = new EditSession("count", calls(() => []).made);
  sessions.set("count", session);
  assertEquals(hasUnsaved(), false);
  session.type(row(1), "9");
  assertEquals([keptSessions(caller("ann")), hasUnsaved()], [sessions, true]);
  assertEquals([keptSessions(caller("bob")).size, hasUnsaved()], [0, false]);
});

Deno.test("edits of a reader whom the server does not name stay with the link, and no other gets them", () => {
  const [link, other] = [{ caller: undefined }, { caller: undefined }];
  const sessions = keptSessions(link);
  const session = new EditSession("count", calls(() => []).made);
  sessions.set("count", session);
  session.type(row(1), "9");
  assertEquals([keptSessions(link), hasUnsaved()], [sessions, true]);
  assertEquals([keptSessions(other).size, hasUnsaved()], [0, false]);
});

Deno.test("edits stay while another page is looked at, and the list before is shown until the next is there", async () => {
  let asked = Promise.withResolvers<(page: ListPage) => void>();
  const answer = async (page: ListPage) => {
    const resolve = await asked.promise;
    asked = Promise.withResolvers();
    resolve(page);
  };
  const { made } = calls(() => []);
  const all = {
    ...made,
    page: () => new Promise<ListPage>((resolve) => asked.resolve(resolve)),
    count: () => Promise.resolve({ count: 2, isEstimate: false }),
    wait: () => Promise.resolve(),
    mayRetry: () => false,
    nextFrame: (run: () => void) => {
      run();
      return () => {};
    },
  };
  const settled = async (model: GoodsModel, count: number) => {
    for (let turns = 0; model.count !== count && turns < 1000; turns++) {
      await new Promise((resolve) => setTimeout(resolve));
    }
    assertEquals(model.count, count);
  };
  const state = (query: string): ListState => readListState(new URLSearchParams(query));
  const sessions = new Map();
  const model = new GoodsModel(all, sessions);
  model.show(state("mode=edit"));
  await answer({ rows: [row(1), row(2)], nextPageToken: "" });
  await settled(model, 2);
  model.session!.type(model.at(0)!, "9");
  model.note([row(1, { version: 2, num: 4 })]);
  assertEquals([model.at(0)!.num, model.session!.sheet.get(1)!.now], [4, 4]);
  model.show(state("mode=edit&soldout"));
  assertEquals([model.count, model.isReading], [2, true]);
  await answer({ rows: [row(2, { num: 0 })], nextPageToken: "" });
  await settled(model, 1);
  assertEquals([model.isReading, model.unsaved("edit"), model.unsaved("count")], [false, 1, 0]);
  // Anew, from the view on: what is in view stays until the next list has it.
  model.look(2);
  model.show(state("mode=edit"));
  await answer({ rows: [row(1), row(2), row(3)], nextPageToken: "more" });
  await settled(model, 4);
  model.look(3);
  // The list before has asked for its next page, which nobody answers any more.
  await asked.promise;
  asked = Promise.withResolvers();
  model.refresh();
  await answer({ rows: [row(1), row(2)], nextPageToken: "more" });
  await new Promise((resolve) => setTimeout(resolve));
  assertEquals([model.at(2)?.goodsId, model.isReading], [3, true]);
  await answer({ rows: [row(4)], nextPageToken: "" });
  while (model.isReading) await new Promise((resolve) => setTimeout(resolve));
  assertEquals(model.at(2)?.goodsId, 4);
  model.close();
  // Another key of the same reader: what was typed is applied by the calls that have it.
  const another = calls(({ operations }) => operations.map(() => APPLIED));
  const later = new GoodsModel({ ...all, batch: another.made.batch }, sessions);
  later.show(state("mode=edit"));
  assertEquals(later.session!.sheet.get(1)!.text, "9");
  await later.session!.apply();
  assertEquals([another.requests.length, later.session!.sheet.get(1)!.state], [1, "applied"]);
  later.close();
});
