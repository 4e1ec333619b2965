/** What becomes of a group whose attempt failed: every cell of the tables in src/lanes/retry_rule.ts. */
import { assert, assertEquals } from "@std/assert";
import {
  afterFailure,
  afterLook,
  type Cause,
  causeOf,
  goesByRowLocks,
  inHalves,
  inPieces,
  isOfDatabase,
  type Next,
  type NextOfSeen,
  pauseMs,
  type Seen,
} from "../../src/lanes/retry_rule.ts";
import {
  BlockLostError,
  ConflictError,
  DatabaseUnavailableError,
  FenceLostError,
  OffLedgerError,
  OutcomeUnknownError,
  PoolQueueFullError,
  RowLockedError,
  StatementTimeoutError,
} from "../../src/store/errors.ts";

type Ruled = Exclude<Cause, "row_locked">;

/**
 * By cause: up to which attempt several entries, and one, go again in time; and what they come to then, and out of
 * time.
 */
const ROWS: Readonly<Record<Ruled, { several: [number, Next, Next]; one: [number, Next, Next] }>> = {
  lost_write: { several: [19, "fail", "fail"], one: [19, "fail", "fail"] },
  fence: { several: [7, "halves", "requeue"], one: [19, "fail", "fail"] },
  conflict: { several: [1, "halves", "requeue"], one: [19, "fail", "fail"] },
  block_lost: { several: [1, "fail", "fail"], one: [19, "fail", "fail"] },
  database: { several: [0, "fail", "fail"], one: [0, "fail", "fail"] },
  other: { several: [0, "halves", "requeue"], one: [0, "fail", "fail"] },
};

for (const [cause, row] of Object.entries(ROWS) as [Ruled, typeof ROWS[Ruled]][]) {
  Deno.test(`what becomes of one entry, and of several, that failed for ${cause}: at every attempt, in time or not`, () => {
    for (const entries of [1, 2, 3, 512]) {
      const [againUpTo, then, late] = entries === 1 ? row.one : row.several;
      for (let attempt = 1; attempt <= 21; attempt++) {
        const inTime = afterFailure(cause, { attempt, entries, inTime: true });
        assertEquals(inTime, attempt <= againUpTo ? "again" : then, `${entries} entries, attempt ${attempt}`);
        const outOfTime = afterFailure(cause, { attempt, entries, inTime: false });
        assertEquals(outOfTime, late, `${entries} entries, attempt ${attempt}, out of time`);
      }
    }
  });
}

/** What was tried, what was seen, and what it comes to. */
const LOOKS: [why: string, attempt: number, inTime: boolean, seen: Seen, next: NextOfSeen][] = [
  ["one, at first, seen to wait for nothing", 1, true, seen(0, 0, 1), { locked: "alone", free: "again" }],
  ["one whose order is locked, at first", 1, true, seen(0, 1, 0), { locked: "alone", free: "again" }],
  ["one that waits for goods", 1, true, seen(1, 0, 0), { locked: "alone", free: "again" }],
  ["one, at its second attempt", 2, true, seen(0, 0, 1), { locked: "fail", free: "fail" }],
  ["one whose order is locked, at its second attempt", 2, true, seen(0, 1, 0), { locked: "fail", free: "fail" }],
  ["the same out of time", 2, false, seen(0, 1, 0), { locked: "fail", free: "fail" }],
  ["one that waits for goods, at its second attempt", 2, true, seen(1, 0, 0), { locked: "alone", free: "again" }],
  ["one that came to its third attempt by other failures", 3, true, seen(0, 0, 1), { locked: "alone", free: "again" }],
  ["one, at the last attempt", 20, true, seen(0, 0, 1), { locked: "requeue", free: "requeue" }],
  ["one, out of time", 1, false, seen(0, 0, 1), { locked: "requeue", free: "requeue" }],
  ["some wait for goods", 1, true, seen(2, 0, 8), { locked: "alone", free: "again" }],
  ["four orders are locked", 1, true, seen(0, 4, 6), { locked: "alone", free: "again" }],
  ["five orders are locked", 1, true, seen(0, 5, 5), { locked: "fail", free: "again" }],
  ["four orders are locked, out of time", 1, false, seen(1, 4, 5), { locked: "requeue", free: "requeue" }],
  ["five orders are locked, out of time", 1, false, seen(1, 5, 4), { locked: "fail", free: "requeue" }],
  ["five orders are locked, at the last attempt", 20, true, seen(0, 5, 5), { locked: "fail", free: "requeue" }],
  ["nobody of several is seen to wait", 1, true, seen(0, 0, 2), { locked: "alone", free: 1 }],
  ["the same at a later attempt", 2, true, seen(0, 0, 24), { locked: "alone", free: 1 }],
  ["nobody of many is seen to wait", 1, true, seen(0, 0, 25), { locked: "alone", free: 5 }],
  ["nobody of very many is seen to wait", 1, true, seen(0, 0, 512), { locked: "alone", free: 23 }],
  ["nobody of several is seen to wait, out of time", 1, false, seen(0, 0, 9), { locked: "requeue", free: "requeue" }],
  ["nobody of several is seen to wait, at the last attempt", 20, true, seen(0, 0, 9), {
    locked: "requeue",
    free: "requeue",
  }],
];

function seen(waiting: number, locked: number, free: number): Seen {
  return { waiting, locked, free };
}

for (const [why, attempt, inTime, { waiting, locked, free }, next] of LOOKS) {
  Deno.test(`behind a locked row: ${why}`, () => {
    const tried = { attempt, entries: waiting + locked + free, inTime };
    assertEquals(afterLook(tried, { waiting, locked, free }), next);
  });
}

Deno.test("a group that met a locked row comes to an end, whoever was seen", () => {
  for (let entries = 2; entries <= 512; entries++) {
    const { free } = afterLook({ attempt: 1, entries, inTime: true }, { waiting: 0, locked: 0, free: entries });
    assert(typeof free === "number" && free >= 1 && free < entries, `${entries} entries in pieces of ${free}`);
  }
});

Deno.test("halves and pieces have everybody, in sequence", () => {
  assertEquals(inHalves([1, 2]), [[1], [2]]);
  assertEquals(inHalves([1, 2, 3, 4, 5]), [[1, 2], [3, 4, 5]]);
  assertEquals(inPieces([1, 2, 3, 4, 5], 2), [[1, 2], [3, 4], [5]]);
  assertEquals(inPieces([1, 2], 1), [[1], [2]]);
});

Deno.test("each error has its cause, and those of the database as such are everybody's", () => {
  const causes: [unknown, Cause, boolean][] = [
    [new OutcomeUnknownError("lost"), "lost_write", true],
    [new FenceLostError("moved on"), "fence", false],
    [new ConflictError("deadlock"), "conflict", false],
    [new BlockLostError("lost"), "block_lost", true],
    [new RowLockedError("locked"), "row_locked", false],
    [new DatabaseUnavailableError("away"), "database", true],
    [new StatementTimeoutError("too long"), "other", false],
    [new PoolQueueFullError("full"), "other", false],
    [new OffLedgerError([1]), "other", false],
    [new TypeError("a fault of the program"), "other", false],
    ["thrown as text", "other", false],
  ];
  for (const [error, cause, ofDatabase] of causes) {
    assertEquals([causeOf(error), isOfDatabase(cause)], [cause, ofDatabase], `${error}`);
  }
});

Deno.test("the pause before an attempt doubles to a bound, and the fourth attempt goes by row locks", () => {
  assertEquals([2, 3, 4, 5, 6, 7, 20].map((attempt) => pauseMs(attempt, 0.5)), [1, 2, 4, 8, 16, 25, 25]);
  assertEquals([pauseMs(2, 0), pauseMs(20, 0)], [0, 0]);
  assertEquals([1, 2, 3, 4, 20].map(goesByRowLocks), [false, false, false, true, true]);
});
