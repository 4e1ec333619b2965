/** History as a file: it is read back as it was, no cell of it is a formula, and it ends at its bound. */
import { assert, assertEquals } from "@std/assert";
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { csvRow, historyCsv } from "../../src/console/one_goods/history_csv.ts";
import { type ListedMovement, ListedMovementSchema, MovementKind } from "../../src/gen/inventory/v1/query_pb.ts";

Deno.test("a row is read back as it was written, but for apostrophes before what would be a formula", () => {
  const text = fc.oneof(fc.string({ unit: "binary" }), fc.stringMatching(/^[=+\-@",;\r\n\ta'＝]{0,6}$/));
  const plain = (cell: string) => cell.replaceAll("'", "");
  fc.assert(fc.property(fc.array(text, { minLength: 1, maxLength: 5 }), (cells) => {
    const [row, ...more] = readCsv(csvRow(cells));
    assertEquals(more, []);
    row!.forEach((cell, i) => {
      assert(!/^[\t\r\n]/.test(cell), JSON.stringify(cell));
      // Spreadsheets of many countries part cells by semicolons, and know no quotes within them.
      for (const part of cell.split(/[;\t\r\n]/)) assert(!/^[=+\-@＝＋－＠]/u.test(part), JSON.stringify(cell));
      assertEquals(plain(cell), plain(cells[i]!));
    });
  }));
});

Deno.test("a file has a row a movement, numbers as numbers, page by page", async () => {
  const parts = await Array.fromAsync(historyCsv(pages(3, 2)));
  assertEquals(parts.map(({ rows, isCut }) => ({ rows, isCut })), [0, 2, 3].map((rows) => ({ rows, isCut: false })));
  const text = parts.map(({ text }) => text).join("");
  assert(text.startsWith("\ufeffat,goods_id,"));
  const [, first] = readCsv(text.slice(1));
  assertEquals(first?.slice(0, 12), [
    ...["2023-11-14T22:13:20.000Z", "7", "2", "3", "adjust", "-4", "0", "6", "0", "", "op-3", "damage"],
  ]);
  assertEquals(first?.[13], "'=cmd()");
  assert(!text.includes("'-4"));
});

Deno.test("a file ends at its bound, says so, and asks for no page beyond it", async () => {
  let asked = 0;
  const counted = async function* () {
    for await (const page of pages(10, 2)) {
      asked++;
      yield page;
    }
  };
  const parts = await Array.fromAsync(historyCsv(counted(), 3));
  assertEquals([parts.at(-1)?.rows, parts.at(-1)?.isCut, asked], [3, true, 2]);
});

/** Movements, newest first. */
async function* pages(count: number, size: number): AsyncGenerator<ListedMovement[]> {
  for (let version = count; version > 0; version -= size) {
    await Promise.resolve();
    yield Array.from({ length: Math.min(size, version) }, (_, i) =>
      create(ListedMovementSchema, {
        ...{ goodsId: 7, locationId: 2, version: BigInt(version - i), kind: MovementKind.ADJUST },
        ...{ onHandDelta: -4, onHandAfter: 6, operationId: `op-${version - i}`, reason: "damage", actor: "=cmd()" },
        at: timestampFromMs(1_700_000_000_000),
      }));
  }
}

/** RFC 4180, read by its letters. */
function readCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  for (let i = 0; i < text.length;) {
    let cell = "";
    if (text[i] === '"') {
      for (i++; text[i] !== '"' || text[i + 1] === '"'; i++) {
        assert(i < text.length, "a cell does not end");
        cell += text[i];
        if (text[i] === '"') i++;
      }
      i++;
    } else while (i < text.length && !",\r".includes(text[i]!)) cell += text[i++];
    row.push(cell);
    if (text[i] === ",") i++;
    else {
      assertEquals(text.slice(i, i + 2), "\r\n");
      i += 2;
      rows.push(row);
      row = [];
    }
  }
  return rows;
}
