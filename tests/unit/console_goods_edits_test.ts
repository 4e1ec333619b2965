/** The goods page's edits: what a pasted text says, for which rows, and what becomes of each until it is applied. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { create, type DescMessage, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { type Any, anyPack } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import fc from "fast-check";
import { InvariantError } from "../../src/base/invariant.ts";
import { batchRequest, takeFailure, takeVerdicts } from "../../src/console/goods/edit_batches.ts";
import { type Edit, type EditKind, EDITS_MAX, EditSheet } from "../../src/console/goods/edit_sheet.ts";
import { totalsOf } from "../../src/console/goods/edit_totals.ts";
import { type NumberProblem, readQuantity } from "../../src/console/goods/numbers.ts";
import { indexRows, type Target, targetsOf, unknownNames } from "../../src/console/goods/paste_targets.ts";
import type { Row } from "../../src/console/goods/row.ts";
import { readSheet } from "../../src/console/goods/sheet.ts";
import { LINES_MAX, splitSheet } from "../../src/console/goods/sheet_cells.ts";
import { ErrorInfoSchema } from "../../src/gen/google/rpc/error_details_pb.ts";
import { Basis, CurrentLevelSchema } from "../../src/gen/inventory/v1/inventory_pb.ts";
import { ApplyBatchRequestSchema, type BatchVerdict, BatchVerdictSchema } from "../../src/gen/inventory/v1/stock_pb.ts";
import { consoleRow } from "../support/console_row.ts";

function row(goodsId: number, rest: Partial<Row> = {}): Row {
  return consoleRow(goodsId, { sku: `SKU-${goodsId}`, onHand: 8, reserved: 3, ...rest });
}

function sheetOf(kind: EditKind): EditSheet {
  let id = 0;
  return new EditSheet(kind, () => `id-${++id}`);
}

Deno.test("quantities are read as people and sheets of all locales write them, and never guessed", () => {
  const good: Record<string, number> = {
    ...{ "0": 0, "12": 12, " 12 ": 12, "+7": 7, "1,234": 1234, "1,234,567": 1234567, "1 234": 1234 },
    ...{ "1\u00a0234": 1234, "1\u202f234": 1234, "1'234": 1234, "1’234": 1234, "12.0": 12, "12.00": 12 },
    ...{ "1,234.00": 1234, "１２": 12, "１，２３４": 1234, "2147483647": 2147483647, "007": 7, "-0": 0 },
  };
  for (const [text, value] of Object.entries(good)) assertEquals(readQuantity(text), { value }, text);
  const bad: Record<string, NumberProblem> = {
    ...{ "": "empty", "  ": "empty", "twelve": "not_a_number", "12 pcs": "not_a_number", "1,23": "not_a_number" },
    ...{ "1,2345": "not_a_number", "12,5": "not_a_number", "1e3": "not_a_number", "0x10": "not_a_number" },
    ...{ "-3": "below_zero", "−3": "below_zero", "12.5": "not_whole", "0.125": "not_whole" },
    ...{ "1.234": "ambiguous", "1.234.567": "ambiguous", "2147483648": "too_large", "#N/A": "not_a_number" },
  };
  for (const [text, problem] of Object.entries(bad)) assertEquals(readQuantity(text), { problem }, text);
  fc.assert(fc.property(fc.nat(2_147_483_647), fc.constantFrom("en", "zh", "de-CH", "fr"), (value, locale) => {
    assertEquals(readQuantity(new Intl.NumberFormat(locale).format(value)), { value });
  }));
});

Deno.test("cells come out of a sheet's text as they went in, whatever is in them", () => {
  const cell = fc.string({ unit: fc.constantFrom("a", "1", ",", ";", "\t", '"', "\n", " ", "茶"), maxLength: 6 })
    .map((text) => text.trim());
  const separators = fc.constantFrom("\t" as const, ";" as const, "," as const);
  fc.assert(fc.property(fc.array(fc.array(cell, { minLength: 1, maxLength: 3 })), separators, (rows, separator) => {
    const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
    const text = rows.map((cells) => cells.map(quoted).join(separator)).join("\r\n");
    const filled = rows.filter((cells) => cells.some((one) => one !== ""));
    assertEquals(splitSheet(text, separator).lines.map(({ cells }) => cells), filled);
  }));
  assertEquals(splitSheet('a\n\n"b\nc"\nd', "\t").lines.map(({ line }) => line), [1, 3, 5]);
  const long = splitSheet("1\n".repeat(LINES_MAX + 1), "\t");
  assertEquals([long.lines.length, long.isCut], [LINES_MAX, true]);
});

Deno.test("a pasted block is read by its shape, and every line that can't be is named with the reason", () => {
  const read = (text: string) =>
    readSheet(text).lines.map(({ name, locationId, num, problem }) => [name, locationId, num ?? problem]);
  assertEquals(read("1\n1,234\n５"), [[undefined, undefined, 1], [undefined, undefined, 1234], [
    undefined,
    undefined,
    5,
  ]]);
  assertEquals(read("A-1\t1,234\nB-1\tx"), [["A-1", undefined, 1234], ["B-1", undefined, "not_a_number"]]);
  assertEquals(read("A-1\t2\t30\nA-1\tx\t30"), [["A-1", 2, 30], ["A-1", undefined, "bad_location"]]);
  assertEquals(read('A-1,"1,234"\nB-1,7'), [["A-1", undefined, 1234], ["B-1", undefined, 7]]);
  assertEquals(read("A-1;1,234"), [["A-1", undefined, 1234]]);
  assertEquals(read("A-1,1,234"), [["A-1", undefined, "ambiguous_cells"]], "one location, or a thousand");
  assertEquals(read("A-1,1,5"), [["A-1", 1, 5]]);
  assertEquals(read("\t5\nA\t1\t2\t3"), [["", undefined, "no_name"], ["A", undefined, "too_many_cells"]]);
  assertEquals(read("SKU\tOn hand\nA-1\t5"), [["A-1", undefined, 5]], "headings are no line");
  assertEquals(read("Quantity\n1,500"), [[undefined, undefined, 1500]]);
  assertEquals(read("A-1\t5\t\n"), [["A-1", undefined, 5]], "an empty last column is none");
  assertEquals(readSheet("SKU\tOn hand\nA-1\t5").lines[0]!.line, 2);
  assertEquals(read(""), []);
});

Deno.test("lines find their rows by SKU, by goods id and by location, and say why they have none", () => {
  const rows = [row(1), row(2), row(2, { locationId: 7 }), row(3, { sku: "" }), row(4, { sku: "茶-\u00e9" })];
  const index = indexRows(rows);
  const targets = (text: string) =>
    targetsOf(readSheet(text), rows, index).map((target: Target) => target.problem ?? rows.indexOf(target.row));
  assertEquals(targets("SKU-1\t5\n3\t5\n#3\t6"), [0, 3, "said_twice"]);
  assertEquals(targets("SKU-2\t5\nSKU-2\t7\t5\nSKU-2\t9\t5"), ["several_locations", 2, "unknown_goods"]);
  assertEquals(targets("茶-e\u0301\t5"), [4], "in Unicode's form NFC");
  assertEquals(targets("5\n6\n7\n8\n9\n10"), [0, 1, 2, 3, 4, "no_row"]);
  assertEquals(targets("SKU-1\tx"), ["not_a_number"]);
  assertEquals(unknownNames(readSheet("SKU-1\t5\nNEW\t6\nNEW\t7\nBAD\tx"), index), ["NEW"]);
});

Deno.test("an edit says before and after, and why it can't be", () => {
  const sheet = sheetOf("on_hand");
  assert(sheet.type(row(1), "10", 0));
  assert(sheet.type(row(2), "2", 0));
  assert(sheet.type(row(3, { deletedAtMs: 1 }), "10", 0));
  assert(sheet.type(row(4), "ten", 0));
  assert(sheet.type(row(5), "8", 0));
  assertEquals(sheet.get(5)!.problem, "unchanged", "it may become 80");
  sheet.settle(5);
  assertEquals([...sheet.all()].map(({ after, problem }) => [after, problem]), [
    [10, undefined],
    [2, "below_reserved"],
    [10, "deleted"],
    [undefined, "not_a_number"],
  ]);
  const totals = totalsOf(sheet);
  assertEquals([totals.all, totals.ready, totals.bad, totals.difference], [4, 1, 3, 2]);
  assert(sheet.type(row(4), "", 0), "an empty text takes an edit back");
  assertEquals(sheet.get(4), undefined);
});

Deno.test("a sheet has so many edits and takes no more, and changes of those that it has", () => {
  const sheet = sheetOf("available");
  for (let id = 1; id <= EDITS_MAX; id++) assert(sheet.type(row(id), "9", 0));
  assert(!sheet.type(row(EDITS_MAX + 1), "9", 0));
  assert(sheet.type(row(1), "10", 0));
  assertEquals(sheet.size, EDITS_MAX);
});

Deno.test("an edit says that its row changed before it is sent, but a count stands", () => {
  const set = sheetOf("available");
  set.type(row(1), "10", 0);
  set.noteChange(row(1, { version: 2, num: 4 }));
  assertEquals([set.get(1)!.now, totalsOf(set).moved], [4, 1]);
  set.noteChange(row(1, { version: 3, num: 5 }));
  assertEquals(set.get(1)!.now, undefined, "it is again as it was seen");
  set.type(row(1, { version: 4, num: 6 }), "10", 0);
  set.noteChange(row(1, { version: 3, num: 5 }));
  assertEquals(set.get(1)!.now, undefined, "it was so before");
  const count = sheetOf("count");
  count.type(row(1), "8", 0);
  count.noteChange(row(1, { version: 2, onHand: 4 }));
  assertEquals([count.get(1)!.now, count.before(count.get(1)!)], [undefined, 8]);
});

/** A verdict of each kind, as the wire has it. */
const VERDICT = {
  set: (goodsId: number, num: number): BatchVerdict =>
    create(BatchVerdictSchema, { outcome: { case: "setInv", value: { goodsId, num, onHand: num, version: 2n } } }),
  conflict: (goodsId: number, num: number): BatchVerdict =>
    error(Code.Aborted, [packed(CurrentLevelSchema, { goodsId, num, onHand: num })]),
  refused: (code: Code, reason: string): BatchVerdict => error(code, [packed(ErrorInfoSchema, { reason })]),
};

function packed<D extends DescMessage>(schema: D, content: MessageInitShape<D>): Any {
  return anyPack(schema, create(schema, content));
}

function error(code: Code, details: Any[]): BatchVerdict {
  return create(BatchVerdictSchema, { outcome: { case: "error", value: { code, message: "no", details } } });
}

Deno.test("a batch sets what is still as it was seen, and its verdicts come back to their rows", () => {
  const sheet = sheetOf("available");
  for (const id of [1, 2, 3, 4, 5]) sheet.type(row(id), String(10 + id), 0);
  const sent = sheet.send(500);
  const { operations } = batchRequest(sent, sheet.kind, "recount");
  const first = operations[0]!.operation;
  assert(first.case === "setInv");
  const { goodsId, num, basis, expected, reason } = first.value;
  assertEquals({ goodsId, num, basis, expected, reason }, {
    ...{ goodsId: 1, num: 11, basis: Basis.AVAILABLE, reason: "recount" },
    expected: { case: "expectedNum", value: 5 },
  });
  assert(!sheet.type(row(1), "12", 0), "what is being sent is not typed over");
  const levels = takeVerdicts(sheet, sent, [
    VERDICT.set(1, 11),
    VERDICT.conflict(2, 99),
    // It was applied when it was sent before: the answer was lost, and it is no conflict.
    VERDICT.conflict(3, 13),
    VERDICT.refused(Code.OutOfRange, "TOO_LARGE"),
    VERDICT.refused(Code.Unavailable, "OUTCOME_UNKNOWN"),
  ]);
  assertEquals([...sheet.all()].map(({ state, now, text }) => [state, now, text]), [
    ["applied", undefined, "11"],
    ["conflict", 99, "12"],
    ["applied", undefined, "13"],
    ["refused", undefined, "14"],
    ["unknown", undefined, "15"],
  ]);
  assertEquals(sheet.get(4)!.refusal?.findDetails(ErrorInfoSchema)[0]?.reason, "TOO_LARGE");
  assertEquals(levels.map((level) => [level.goodsId, level.num]), [[1, 11], [2, 99], [3, 13]]);
  // Only the one of which nobody knows is sent again by itself; a conflict waits for whoever typed it.
  assertEquals(sheet.send(500).map(({ key }) => key), [5]);
  assert(sheet.keepMine(2, row(2, { num: 99, version: 2 }), 0));
  const again = sheet.send(500);
  assertEquals(again.map(({ seen, after }) => [seen.num, after]), [[99, 12]]);
});

Deno.test("a count names itself and the moment at which it was typed, by the server's clock", () => {
  const sheet = sheetOf("count");
  sheet.type(row(1), "8", 1_700_000_000_000);
  const sent = sheet.send(1);
  const operation = batchRequest(sent, "count", "").operations[0]!.operation;
  assert(operation.case === "countInv");
  assertEquals(operation.value.operationId, "id-1");
  assertEquals(operation.value.occurredAt?.seconds, 1_700_000_000n);
  // Sent again, it is the same count.
  takeFailure(sheet, sent, new ConnectError("away", Code.Unavailable));
  assertEquals(sheet.send(1)[0]!.operationId, "id-1");
});

Deno.test("a call that fails as a whole leaves every number where it was typed", () => {
  const failed = (thrown: unknown) => {
    const sheet = sheetOf("available");
    sheet.type(row(1), "10", 0);
    takeFailure(sheet, sheet.send(1), thrown);
    return [sheet.get(1)!.state, sheet.get(1)!.text];
  };
  assertEquals(failed(new ConnectError("away", Code.Unavailable)), ["unknown", "10"]);
  assertEquals(failed(new ConnectError("this key has expired", Code.Unauthenticated)), ["unknown", "10"]);
  assertEquals(failed(new TypeError("fetch failed")), ["unknown", "10"]);
  assertEquals(failed(new ConnectError("no", Code.PermissionDenied)), ["refused", "10"]);
});

Deno.test("a verdict on what was not sent is a fault of the page", () => {
  const sheet = sheetOf("available");
  assertThrows(() => sheet.applied(1), InvariantError, "not there");
  sheet.type(row(1), "10", 0);
  assertThrows(() => sheet.conflicted(1, 4), InvariantError, "open");
});

Deno.test("no edit is lost or applied twice, whatever comes of batches of any size", () => {
  const ends = fc.constantFrom("set", "conflict", "refused", "lost");
  fc.assert(
    fc.property(fc.array(ends, { minLength: 1, maxLength: 40 }), fc.integer({ min: 1, max: 9 }), (kinds, max) => {
      const sheet = sheetOf("available");
      kinds.forEach((_, i) => void sheet.type(row(i + 1), "100", 0));
      let rounds = 0;
      const sentOnce = new Set<Edit["key"]>();
      for (;;) {
        const sent = sheet.send(max).filter(({ key }) => !sentOnce.has(key));
        if (sent.length === 0 || rounds++ > 100) break;
        assert(sent.length <= max);
        for (const { key } of sent) sentOnce.add(key);
        const verdicts = sent.map(({ key }) => {
          const kind = kinds[Number(key) - 1]!;
          if (kind === "set") return VERDICT.set(Number(key), 100);
          if (kind === "conflict") return VERDICT.conflict(Number(key), 3);
          return VERDICT.refused(kind === "lost" ? Code.Unavailable : Code.OutOfRange, "X");
        });
        takeVerdicts(sheet, sent, verdicts);
        // One whose end is unknown would be sent for ever here; the page sends it once for each press of the button.
        for (const edit of [...sheet.all()]) if (edit.state === "unknown") sheet.drop(edit.key);
      }
      const left = kinds.filter((kind) => kind !== "lost").length;
      assertEquals(sheet.size, left);
      for (const edit of sheet.all()) assert(edit.state !== "open" && edit.state !== "sending", edit.state);
    }),
  );
});

Deno.test("a batch of as many edits as there may be fits into a request", () => {
  const sheet = sheetOf("available");
  const largest = 2_147_483_647;
  for (let id = 0; id < 500; id++) {
    sheet.type(row(largest - id, { locationId: largest, num: largest - 1 }), String(largest), 0);
  }
  const request = batchRequest(sheet.send(500), "available", "r".repeat(32));
  assert(toBinary(ApplyBatchRequestSchema, request).length < 100_000);
});
