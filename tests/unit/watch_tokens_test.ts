/** Where streams of changes stand, and what their tokens say of it, against simple models. */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { Violations } from "../../src/rpc/errors.ts";
import { readResumeToken, RESUME_TOKEN_CHARACTERS_MAX, resumeToken } from "../../src/services/watch/tokens.ts";
import { hasSeen, parseSnapshot, wholeXid } from "../../src/store/transaction_snapshot.ts";
import type { Position } from "../../src/watch/position.ts";
import { SEEN_XIDS_MAX, SeenXids } from "../../src/watch/seen_xids.ts";

const XID = fc.integer({ min: 3, max: 2 ** 33 });
const SEEN = fc.record({
  base: XID,
  width: fc.nat(1000),
  xip: fc.uniqueArray(fc.nat(1999)),
  above: fc.uniqueArray(fc.nat(999)),
})
  .map(({ base, width, xip, above }) => {
    const from = base + 1000;
    const sorted = (numbers: number[]) => numbers.sort((a, b) => a - b);
    const xmax = from + 1000 + width;
    return { xmax, from, xip: sorted(xip.map((x) => base + x)), above: sorted(above.map((x) => from + x)) };
  });
const POSITION: fc.Arbitrary<Position> = fc.record({
  databaseId: fc.tuple(fc.bigInt({ min: 1n, max: 2n ** 63n }), fc.nat()).map(([system, oid]) => `${system}-${oid}`),
  seen: SEEN,
  sinceUs: fc.maxSafeNat(),
  witness: fc.option(
    fc.record({
      goodsId: fc.nat(),
      locationId: fc.nat(),
      version: fc.maxSafeNat(),
      xid: fc.nat(),
      atUs: fc.maxSafeNat(),
    }),
    { nil: undefined },
  ),
  past: fc.option(
    fc.record({
      after: fc.option(SEEN, { nil: undefined }),
      key: fc.tuple(fc.maxSafeNat(), fc.nat(), fc.nat(), fc.maxSafeNat()),
    }),
    { nil: undefined },
  ),
}).map(({ past, ...live }) => past === undefined ? live : { ...live, past });

Deno.test("a token says its position, to the stream of its filters alone, and nothing that was changed does", () => {
  const stream = { name: "WatchInv", query: { goodsIds: [1, 2] } };
  const read = (token: string, other = stream) => {
    const violations = new Violations();
    return readResumeToken(violations, token, other);
  };
  fc.assert(fc.property(POSITION, fc.nat(), (position, at) => {
    const token = resumeToken(stream, position);
    if (token === "") return;
    assert(token.length <= RESUME_TOKEN_CHARACTERS_MAX);
    assertEquals(read(token), position);
    assertEquals(read(token, { ...stream, query: { goodsIds: [1] } }), undefined);
    assertEquals(read(token, { ...stream, name: "WatchMovements" }), undefined);
    const i = at % token.length;
    const changed = `${token.slice(0, i)}${token[i] === "A" ? "B" : "A"}${token.slice(i + 1)}`;
    assertEquals(read(changed), undefined);
  }));
  // What is made up, and no number of the database's.
  const wide = { xmax: 10, from: 10, xip: [], above: [] };
  for (const place of [{ goodsId: 2 ** 31, locationId: 0 }, { goodsId: 1, locationId: 2 ** 31 }]) {
    const witness = { ...place, version: 1, xid: 5, atUs: 7 };
    assertEquals(read(resumeToken(stream, { databaseId: "1-1", seen: wide, sinceUs: 0, witness })), undefined);
  }
  const lists = [SEEN_XIDS_MAX, SEEN_XIDS_MAX + 1].map((length) => Array.from({ length }, (_, i) => 10 + i));
  const long = lists.map((above) => ({ databaseId: "1-1", seen: { ...wide, xmax: 9999, above }, sinceUs: 0 }));
  const readLong = long.map((position) => read(resumeToken(stream, { ...position, witness: undefined })));
  assertEquals(readLong.map((position) => position?.seen.above.length), [SEEN_XIDS_MAX, undefined]);
  const xip = Array.from({ length: 10_000 }, (_, i) => 1000 + 7 * i);
  const seen = { xmax: 1_000_000, from: 1_000_000, xip, above: [] };
  assertEquals(resumeToken(stream, { databaseId: "1-1", seen, sinceUs: 0, witness: undefined }), "");
});

Deno.test("ids of rows are whole again also where their lower half has come round", () => {
  fc.assert(fc.property(XID, fc.nat(2 ** 31 - 1), (next, ago) => {
    fc.pre(next - ago >= 3);
    assertEquals(wholeXid((next - ago) % 2 ** 32, next), next - ago);
  }));
  assertEquals(parseSnapshot("10:20:10,14"), { xmax: 20, xip: [10, 14] });
});

Deno.test("what was seen is what was added, however the database's snapshots go on", () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ steps: fc.nat(20), keeps: fc.boolean(), adds: fc.array(fc.nat(20)) })),
      (moves) => {
        const seen = new SeenXids(100, []);
        const added = new Set<number>();
        let [xmax, oldest] = [100, 100];
        for (const { steps, keeps, adds } of moves) {
          const begun = xmax;
          xmax += steps;
          for (const each of adds) {
            if (each >= steps) continue;
            seen.add(begun + each);
            added.add(begun + each);
          }
          if (!keeps) oldest = xmax;
          const at = seen.at({ xmax, xip: oldest < xmax ? [oldest] : [] });
          if (added.size > SEEN_XIDS_MAX) return;
          for (let xid = oldest; xid < xmax; xid++) {
            if (xid === oldest && !added.has(xid)) assert(!hasSeen(at, xid));
            else assertEquals(hasSeen(at, xid), added.has(xid), `transaction ${xid}`);
          }
          const highest = Math.max(99, ...added);
          for (const xid of [highest + 1, xmax, xmax + 1]) {
            assert(!hasSeen(at, xid), `${xid} may be given out once more`);
          }
          assert(hasSeen(at, 50) && hasSeen(at, highest));
        }
      },
    ),
  );
});
