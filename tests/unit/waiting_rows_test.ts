/** What waits of a stream of movements. */
import { assertEquals } from "@std/assert";
import type { TailRow } from "../../src/store/statements/tail_rows.ts";
import type { LivePosition } from "../../src/watch/position.ts";
import { WaitingRows } from "../../src/watch/waiting_rows.ts";

const row = (version: number) => ({ version }) as TailRow;
const at = (xmax: number): LivePosition => ({
  databaseId: "1-1",
  seen: { xmax, xip: [], from: xmax, above: [] },
  sinceUs: 0,
  witness: undefined,
});

function all(waiting: WaitingRows): [number[], number | undefined][] {
  const parts: [number[], number | undefined][] = [];
  for (let part = waiting.shift(); part !== undefined; part = waiting.shift()) {
    parts.push([part.rows.map(({ version }) => version), part.position?.seen.xmax]);
  }
  return parts;
}

Deno.test("of reads that brought nothing one waits, with the latest position that any of them had", () => {
  const waiting = new WaitingRows();
  for (const xmax of [10, 11, 12]) waiting.add([], at(xmax));
  waiting.add([], undefined);
  assertEquals(waiting.size, 1);
  waiting.add([row(1)], undefined);
  for (let i = 0; i < 100; i++) waiting.add([], undefined);
  waiting.add([row(2)], at(20));
  for (const xmax of [21, 22]) waiting.add([], at(xmax));
  assertEquals(all(waiting), [[[], 12], [[1], undefined], [[], undefined], [[2], 20], [[], 22]]);
});

Deno.test("what is more than may wait is forgotten, and what was taken makes room", () => {
  const waiting = new WaitingRows();
  const rows = Array.from({ length: 2_000 }, (_, i) => row(i));
  for (let i = 0; i < 3; i++) {
    waiting.add(rows, at(10 + i));
    waiting.add(rows, at(20 + i));
    assertEquals([waiting.isOver, all(waiting).length], [false, 2]);
  }
  waiting.add(rows, at(30));
  waiting.add([...rows, row(1)], at(31));
  waiting.add([row(2)], at(32));
  assertEquals([waiting.isOver, waiting.size, all(waiting)], [true, 0, []]);
});
