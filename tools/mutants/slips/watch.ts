/** Slips in streams of changes. */
import type { Slip } from "../plant.ts";

const WATCH = "src/watch";
const TAIL = ["tests/integration/watch_tail_test.ts"];
const RESUME = ["tests/integration/watch_resume_test.ts"];
const PURE = ["tests/unit/watch_test.ts", "tests/unit/watch_tokens_test.ts"];
const POSITIONS = ["tests/unit/watch_positions_test.ts"];
const STREAMS = ["tests/unit/watch_streams_test.ts"];
const HEARTBEATS = ["tests/unit/watch_heartbeats_test.ts"];

export const WATCH_SLIPS: readonly Slip[] = [
  {
    file: `${WATCH}/inv_stream.ts`,
    find: "const page = yield* this.#heartbeats.through(reading);",
    replace: "const page = await reading;",
    rule: "who waits for a page of a snapshot hears that its stream is alive",
    tests: HEARTBEATS,
  },
  {
    file: `${WATCH}/inv_stream.ts`,
    find: "if (this.#isReading) this.#early.add(",
    replace: "this.#early.add(",
    rule: "nothing is kept for a stream that a later page of its snapshot has",
    tests: STREAMS,
  },
  {
    file: `${WATCH}/inv_stream.ts`,
    find: "this.#isReading = true;",
    replace: "",
    rule: "what comes while a page is read, and is not on it, comes behind it",
    tests: STREAMS,
  },
  {
    file: `${WATCH}/inv_stream.ts`,
    find: "this.#ending.beginSnapshot();",
    replace: "",
    rule: "a snapshot that takes longer than streams get old comes to its end",
    tests: HEARTBEATS,
  },
  {
    file: `${WATCH}/inv_stream.ts`,
    find: "if (pages.isComplete) this.#ending.beginAge();",
    replace: "",
    rule: "a stream gets as old behind its snapshot as any",
    tests: HEARTBEATS,
  },
  {
    file: `${WATCH}/ending.ts`,
    find: " && this.#endStay === undefined",
    replace: "",
    rule: "a snapshot comes to its end on a connection that is left",
    tests: HEARTBEATS,
  },
  {
    file: `${WATCH}/joining.ts`,
    find: "if (await settled(working, msMax)) return await working;",
    replace: "return await working;",
    rule: "who waits for what came behind a token soon hears how the stream begins",
    tests: HEARTBEATS,
  },
  {
    file: `${WATCH}/joining.ts`,
    find: "    end.abort();\n",
    replace: "",
    rule: "what a stream began without is read no further",
    tests: HEARTBEATS,
  },
  {
    file: `${WATCH}/movement_stream.ts`,
    find: "yield* this.#heartbeats.through(reading, position);",
    replace: "yield* this.#heartbeats.through(reading);",
    rule: "a walk that finds nothing for its client says how far it got",
    tests: HEARTBEATS,
  },
  {
    file: "src/store/transaction_snapshot.ts",
    find: "return xid >= from ? above.includes(xid) : !xip.includes(xid);",
    replace: "return xid >= from ? true : !xip.includes(xid);",
    rule: "what was not seen is not taken as seen",
    tests: PURE,
  },
  {
    file: `${WATCH}/tail_reader.ts`,
    find: "if (overUs < sinceUs && this.#position !== undefined) {",
    replace: "if (overUs < -Infinity && this.#position !== undefined) {",
    rule: "what a transaction wrote that hung is looked for once it is over",
    tests: TAIL,
  },
  {
    file: `${WATCH}/ordering.ts`,
    find: "if (between.length + before.length === 0) break;",
    replace: "if (between.length + before.length >= 0) break;",
    rule: "what is missing before a row is read by its key",
    tests: TAIL,
  },
  {
    file: `${WATCH}/under_way.ts`,
    find: "else if (isIdle) this.#sinceUs.set(xid, Math.max(sinceUs, look.nowUs - this.#lateUs));",
    replace: "",
    rule: "who is under way for long and writes nothing has nobody look back for long",
    tests: TAIL,
  },
  {
    file: `${WATCH}/under_way.ts`,
    find: "if (xid >= xmax && !this.#sinceUs.has(xid)) this.#sinceUs.set(xid, this.#coveredUs - this.#lateUs);",
    replace: "",
    rule: "who writes and is in no snapshot is under way",
    tests: TAIL,
  },
  {
    file: `${WATCH}/under_way.ts`,
    find: "!look.writers.has(xid)",
    replace: "!look.writers.has(-xid)",
    rule: "who has written to the ledger and hangs is no idle transaction",
    tests: TAIL,
  },
  {
    file: `${WATCH}/tail_reader.ts`,
    find: "if (!page.isPastThere || ",
    replace: "if (",
    rule: "a database that was set back ends streams",
    tests: RESUME,
  },
  {
    file: `${WATCH}/catch_up.ts`,
    find: `if (from.databaseId !== origin.databaseId) return "other_database";`,
    replace: "",
    rule: "a token of another database is not gone on from",
    tests: RESUME,
  },
  {
    file: `${WATCH}/inv_stream.ts`,
    find: "wanted = wanted.filter(({ movement }) => !hasSeen(resumed, movement.xid));",
    replace: "",
    rule: "who goes on from a token gets nothing again that it has",
    tests: POSITIONS,
  },
  {
    file: `${WATCH}/movement_stream.ts`,
    find: "position = isBehind ? undefined : reached;",
    replace: "position = reached;",
    rule: "no walk gives a position before that of a client who is ahead of this process",
    tests: POSITIONS,
  },
  {
    file: `${WATCH}/movement_stream.ts`,
    find: `not what follows on what the client has.
      if (this.#isLost) throw new DatabaseSetBackError();`,
    replace: "not what follows on what the client has.",
    rule: "no stream of movements goes on in a database that took over",
    tests: POSITIONS,
  },
  {
    file: `${WATCH}/waiting_rows.ts`,
    find: "      stands ??= before;\n",
    replace: "",
    rule: "of reads that brought nothing the latest position that is known is kept",
    tests: ["tests/unit/waiting_rows_test.ts"],
  },
  {
    file: `${WATCH}/inv_stream.ts`,
    find: `        this.#pending.overflow();
        break;`,
    replace: "        break;",
    rule: "no position is given behind changes that a stream did not get to",
    tests: STREAMS,
  },
  {
    file: `${WATCH}/inv_stream.ts`,
    find: "if (!this.#parts.caughtUp.take(rows)) return false;",
    replace: "this.#parts.caughtUp.take(rows);",
    rule: "what all streams catch up on takes a bounded part of memory",
    tests: STREAMS,
  },
  {
    file: `${WATCH}/catch_up.ts`,
    find: "if (tailer.wholeClock > askedAt) return false;",
    replace: "if (tailer.clock > askedAt + 2) return false;",
    rule: "while the database is away no past is said to be gone",
    tests: STREAMS,
  },
  {
    file: `${WATCH}/snapshot_pages.ts`,
    find: "change.level.version > (this.#versions.get(change.key)?.version ?? 0)",
    replace: "change.level.version > 0",
    rule: "what a page of the snapshot has is not given again",
    tests: PURE,
  },
  {
    file: `${WATCH}/pending_changes.ts`,
    find: "if ((this.#places?.size ?? 0) > PLACES_MAX) this.overflow();",
    replace: "",
    rule: "a watcher that reads nothing takes a bounded part of memory",
    tests: PURE,
  },
  {
    file: "src/store/statements/write_changes.ts",
    find: "changes.movements.length > 0 && ageMsMax < Infinity",
    replace: "ageMsMax < 0",
    rule: "a decision is written while it is young",
    tests: ["tests/integration/store_fence_test.ts"],
  },
];
