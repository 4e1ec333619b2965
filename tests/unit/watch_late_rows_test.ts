/** Rows that a tailer gets late: what is missing before others is read by its key, or looked for again. */
import { assertEquals } from "@std/assert";
import type { TailLevel, TailRead, TailRow } from "../../src/store/statements/tail_rows.ts";
import type { VersionRange } from "../../src/store/statements/tail_versions.ts";
import { inOrder } from "../../src/watch/ordering.ts";
import { TailReader } from "../../src/watch/tail_reader.ts";
import { VersionSequence } from "../../src/watch/version_sequence.ts";
import { NEVER, row } from "../support/ledger_in_memory.ts";

/** Of `version` and those before it, so many of each place, as the database would answer them. */
function versionsOf(late: (range: VersionRange, version: number) => number) {
  let reads = 0;
  const versions = (ranges: readonly VersionRange[], limit: number): Promise<TailRead> => {
    reads++;
    const rows = ranges.flatMap((range) =>
      Array.from({ length: range.to - range.from + 1 }, (_, i) => {
        const version = range.to - i;
        return row(range.goodsId, version, late(range, version));
      })
    ).slice(0, limit);
    return Promise.resolve({ snapshot: { xmax: 1000, xip: [] }, nowUs: 0, rows, levels: [], next: undefined });
  };
  return { versions, reads: () => reads };
}

Deno.test("a page of as many goods as it has rows is looked at once, and the last one's late rows come too", async () => {
  const [SEEN, UNSEEN] = [10, 900];
  const isDue = ({ xid }: TailRow) => xid === UNSEEN;
  for (const [goods, each] of [[2000, 1], [1000, 2]] as const) {
    const rows = Array.from(
      { length: goods * each },
      (_, i) => row(1 + i % goods, 500 + Math.floor(i / goods), UNSEEN),
    );
    const none = versionsOf(() => SEEN);
    const page = { rows, levels: [] };
    const plain = await inOrder(page, { sequence: new VersionSequence(), versions: none.versions, isDue }, NEVER);
    assertEquals([plain.rows.length, none.reads()], [2000, 1]);
    const some = versionsOf(({ goodsId }, version) => goodsId === goods && version > 350 ? UNSEEN : SEEN);
    const full = await inOrder(page, { sequence: new VersionSequence(), versions: some.versions, isDue }, NEVER);
    const last = full.rows.filter(({ goodsId }) => goodsId === goods).map(({ version }) => version);
    assertEquals(last, Array.from({ length: 149 + each }, (_, i) => 351 + i));
    assertEquals(full.rows.length, 2149);
  }
});

Deno.test("what is missing is read later, and a page has levels of its own moment all the same", async () => {
  const level = (version: number, deletedAtMs?: number): TailLevel => ({
    ...{ goodsId: 1, locationId: 0, version, sku: undefined, safetyStock: 0, backorderMax: 0, isLow: false },
    ...{ lowStockAt: undefined, lowStockUntil: undefined, deletedAtMs },
  });
  const earlier = versionsOf(() => 10);
  const versions = async (ranges: readonly VersionRange[], limit: number) => ({
    ...await earlier.versions(ranges, limit),
    levels: [level(4, 1)],
  });
  const page = { rows: [row(1, 3, 900)], levels: [level(3)] };
  const ordered = await inOrder(page, { sequence: new VersionSequence(), versions, isDue: () => false }, NEVER);
  assertEquals([earlier.reads(), ordered.levels], [1, [level(3)]]);
});

Deno.test("a tailer that starts among sales looks for what they wrote where it reads anyway, and gives positions", async () => {
  const SECOND_US = 1_000_000;
  for (
    const [xip, scans] of [[[[50], [50, 60], [60, 61], [61]], 0], [[[50], ...Array(6).fill([50]), []], 1]] as const
  ) {
    const answers = [...xip];
    let [nowUs, scanned] = [10_000 * SECOND_US, 0];
    const answer = () => {
      nowUs += SECOND_US / 10;
      return { snapshot: { xmax: 100, xip: answers.shift() ?? [] }, nowUs, rows: [], levels: [], next: undefined };
    };
    const reader = new TailReader({
      identify: () => Promise.resolve("1-1"),
      xids: () => Promise.resolve({ ...answer(), xids: [], newest: undefined }),
      writers: () => Promise.resolve({ nowUs, xids: [50] }),
      read: () => Promise.resolve({ ...answer(), isPastThere: true }),
      versions: () => Promise.resolve(answer()),
      scan: () => Promise.resolve({ ...answer(), scanned: scanned++ }),
    }, () => nowUs / 1000);
    const started = await reader.start(NEVER);
    assertEquals(nowUs - started.sinceUs > 10 * SECOND_US, scans > 0);
    let isAfterScan = false;
    for (let read = 0; read < 3; read++) {
      await reader.read(({ position }) => isAfterScan ||= position === undefined, NEVER);
    }
    assertEquals([scanned, isAfterScan], [scans, scans > 0]);
  }
});
