/** What becomes of changes before a watcher has them, against simple models. */
import { assert, assertEquals } from "@std/assert";
import { create, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { WatchInvResponseSchema } from "../../src/gen/inventory/v1/watch_pb.ts";
import { invMessage } from "../../src/services/watch/encode.ts";
import { fitsInv, selectInv } from "../../src/watch/filter.ts";
import type { TailLevel, TailRow } from "../../src/store/statements/tail_rows.ts";
import { changesOf, type InvChange } from "../../src/watch/changes.ts";
import { CHANGES_MAX, PendingChanges, PLACES_MAX } from "../../src/watch/pending_changes.ts";
import { compareSkus, SnapshotPages } from "../../src/watch/snapshot_pages.ts";
import { VersionSequence } from "../../src/watch/version_sequence.ts";

function row(goodsId: number, version: number, more: Partial<TailRow> = {}): TailRow {
  return {
    goodsId,
    locationId: 0,
    version,
    kind: "adjust",
    orderId: undefined,
    operationId: undefined,
    onHandDelta: 0,
    reservedDelta: 0,
    onHandAfter: 10,
    reservedAfter: 0,
    atMs: version,
    atUs: version * 1000,
    xid: 100 + version,
    ...more,
  };
}

function level(goodsId: number, version: number, more: Partial<TailLevel> = {}): TailLevel {
  const none = { sku: undefined, lowStockAt: undefined, lowStockUntil: undefined, deletedAtMs: undefined };
  return { goodsId, locationId: 0, version, safetyStock: 0, backorderMax: 0, isLow: false, ...none, ...more };
}

function changes(rows: readonly TailRow[]): InvChange[] {
  return changesOf(rows, []);
}

Deno.test("of changes that wait each place's latest comes, and with those folded into it none is lost", () => {
  const PLACE = fc.integer({ min: 1, max: 30 });
  const MOVE = fc.oneof(
    // Often enough for more to wait than is kept one by one.
    {
      arbitrary: fc.record({
        add: fc.array(PLACE, { maxLength: 40, size: "max" }),
        times: fc.integer({ min: 1, max: 100 }),
      }),
      weight: 3,
    },
    fc.constant("take"),
  );
  let timesFolded = 0;
  fc.assert(fc.property(fc.array(MOVE, { maxLength: 10 }), (moves) => {
    const pending = new PendingChanges();
    const written = new Map<number, number>();
    const had = new Map<number, number>();
    const take = () => {
      const taken = pending.take();
      for (const { change: { level }, folded } of taken?.changes ?? []) {
        assertEquals(level.version, (had.get(level.goodsId) ?? 0) + folded + 1);
        if (folded > 0) timesFolded++;
        had.set(level.goodsId, level.version);
      }
      return taken;
    };
    for (const move of moves) {
      if (move === "take") take();
      else {
        const rows = Array.from({ length: move.times }, () => move.add).flat().map((goodsId) => {
          const version = (written.get(goodsId) ?? 0) + 1;
          written.set(goodsId, version);
          return row(goodsId, version);
        });
        pending.add(changes(rows), undefined);
      }
    }
    while (take() !== undefined);
    assertEquals([...had].sort(), [...written].sort());
    assert(!pending.isOver);
  }));
  assert(timesFolded > 0, "nothing was folded");
  const full = new PendingChanges();
  full.add(changes(Array.from({ length: Math.max(PLACES_MAX, CHANGES_MAX) + 1 }, (_, i) => row(i + 1, 1))), undefined);
  assert(full.isOver && full.isEmpty && full.take() === undefined);
});

Deno.test("a change is given if a page has had its place, with a lower version", () => {
  const pages = new SnapshotPages({});
  const [early, late] = [changes([row(5, 3)])[0]!, changes([row(50, 3)])[0]!];
  const listed = (goodsId: number, version: number) => ({ ...changes([row(goodsId, version)])[0]!.level });
  assert(!pages.isNewer(early));
  pages.add({ rows: [listed(5, 2), listed(9, 9)], next: [9, 0] }, 7);
  assert(pages.isNewer(early) && !pages.covers(late) && !pages.isComplete);
  assertEquals(pages.withoutHad({ change: early, folded: 2 }), { change: early, folded: 0 });
  pages.add({ rows: [listed(50, 3)], next: undefined }, 8);
  assert(pages.isComplete && !pages.isNewer(late) && !pages.isPassedBy(8) && pages.isPassedBy(9));
  pages.forgetBefore(9);
  assertEquals(pages.size, 0);
});

Deno.test("whoever watches few goods gets of them what those get who watch all, and messages are the same bytes", () => {
  const GOODS = fc.array(fc.integer({ min: 1, max: 9 }));
  fc.assert(fc.property(GOODS, fc.uniqueArray(fc.integer({ min: 1, max: 60 }), { minLength: 1 }), (moved, goodsIds) => {
    const all = changes(moved.map((goodsId, i) => row(goodsId, i + 1, { orderId: `order-${i}`, actor: "é" })));
    const batch = { changes: all, byGoods: Map.groupBy(all, ({ level }) => level.goodsId) };
    const fits = fitsInv({ goodsIds });
    const selected = selectInv({ goodsIds })(batch);
    const sorted = (list: readonly InvChange[]) => list.map(({ level }) => level.version).sort();
    assertEquals(sorted(selected), sorted(all.filter(fits)));
    assert(selectInv({})(batch) === all);
    const event = { kind: "changes" as const, changes: selected.map((change, i) => ({ change, folded: i % 3 })) };
    const bytesOf = (isJson: boolean) => {
      const message = create(WatchInvResponseSchema, invMessage({ name: "WatchInv", query: {} }, event, isJson));
      return toBinary(WatchInvResponseSchema, message);
    };
    assertEquals(bytesOf(false), bytesOf(true));
    // The bytes that were shared.
    assertEquals(bytesOf(false), bytesOf(true));
  }));
});

Deno.test("skus are compared as PostgreSQL does by bytes", () => {
  const CODE_POINT = fc.oneof(fc.integer({ min: 32, max: 126 }), fc.integer({ min: 0xe000, max: 0x1ffff }));
  const TEXT = fc.array(CODE_POINT, { maxLength: 6 }).map((points) => String.fromCodePoint(...points));
  fc.assert(fc.property(TEXT, TEXT, (a, b) => {
    const [left, right] = [a, b].map((text) => new TextEncoder().encode(text));
    const i = left!.findIndex((byte, at) => byte !== right![at]);
    const expected = i < 0 ? Math.sign(left!.length - right!.length) : i >= right!.length ? 1 : left![i]! - right![i]!;
    assertEquals(Math.sign(compareSkus(a, b)), Math.sign(expected));
  }));
});

Deno.test("what is missing before a row is known by its version, and nothing is given twice", () => {
  const sequence = new VersionSequence(3);
  sequence.note([row(1, 4)]);
  assertEquals(sequence.newOf([row(1, 4), row(1, 5), row(1, 5), row(2, 7)]).map(({ version }) => version), [5, 7]);
  const { between, before } = sequence.missingOf([row(1, 7), row(2, 7), row(3, 1)], new Set(), new Set());
  assertEquals(between, [{ goodsId: 1, locationId: 0, from: 5, to: 6 }]);
  assertEquals(before, [{ goodsId: 2, locationId: 0, from: 6, to: 6 }]);
  assertEquals(sequence.missingOf([row(2, 7), row(2, 9)], new Set([2]), new Set()), {
    between: [{ goodsId: 2, locationId: 0, from: 8, to: 8 }],
    before: [],
  });
  sequence.note([2, 3, 4].map((goodsId) => row(goodsId, 1)));
  assertEquals([1, 2, 3, 4].map((goodsId) => sequence.given({ goodsId, locationId: 0 })), [undefined, 1, 1, 1]);
});

Deno.test("the newest change is what the level says, and earlier ones what the ledger does", () => {
  const rows = [
    row(1, 1, { onHandAfter: 9 }),
    row(1, 2, { onHandAfter: 3, kind: "delete" }),
    row(1, 3, { onHandAfter: 4, reservedAfter: 1 }),
  ];
  const stands = level(1, 3, {
    sku: "a",
    safetyStock: 2,
    backorderMax: 1,
    isLow: true,
    lowStockAt: 3,
    lowStockUntil: 8,
    deletedAtMs: 2,
  });
  const [first, second, third] = changesOf(rows, [stands]).map(({ level }) => level);
  assertEquals([first?.isLow, first?.deleted, first?.isSoldOut, first?.sku], [true, false, false, "a"]);
  assertEquals([second?.isLow, second?.deleted, second?.deletedAtMs], [true, true, 2]);
  assertEquals([third?.isLow, third?.deleted, third?.isSoldOut], [true, true, false]);
  assertEquals(third?.policy, { safetyStock: 2, backorderMax: 1 });
});

Deno.test("a change before a deletion does not say that it is deleted, though levels were read after both", () => {
  const release = row(1, 3, { kind: "release" });
  const deleted = level(1, 4, { deletedAtMs: 4 });
  assertEquals(changesOf([release], [deleted])[0]?.level.deleted, false);
  assertEquals(changesOf([row(1, 4, { kind: "delete" })], [deleted])[0]?.level.deletedAtMs, 4);
  // Deleted before it.
  assertEquals(changesOf([row(1, 5)], [level(1, 6, { deletedAtMs: 4 })])[0]?.level.deletedAtMs, 4);
});
