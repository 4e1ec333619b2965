/** An entry from its arrival to its one end: every transition of the table, and that all others throw. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { InvariantError } from "../../src/base/invariant.ts";
import type { Verdict } from "../../src/inventory/model.ts";
import type { Operation } from "../../src/inventory/operations/operation.ts";
import { Entry } from "../../src/lanes/entry.ts";
import { Failure } from "../../src/lanes/failure.ts";
import { OutcomeUnknownError } from "../../src/store/errors.ts";

type State = "queued" | "deciding" | "ended";
type Event = "begin" | "pause" | "leave" | "answer" | "fail";

const SELL: Operation = { kind: "sell", orderId: "a", lines: [{ goodsId: 1, locationId: 0, num: 1 }] };
const SOLD = { ok: true, levels: [] } as unknown as Verdict;
const SHORT = { ok: false, refusal: { reason: "short_stock", lines: [] } } as unknown as Verdict;

/** An entry in that state, and its caller. */
function entryIn(state: State) {
  const caller = new AbortController();
  const entry = new Entry(SELL, 0, caller.signal, () => void ends.count++);
  const ends = { count: 0 };
  entry.verdict.catch(() => {});
  if (state !== "queued") entry.begin();
  if (state === "ended") entry.answer(SOLD);
  return { entry, caller, ends };
}

function happen(entry: Entry, event: Event): unknown {
  if (event === "answer") return entry.answer(SOLD);
  if (event === "fail") return entry.fail(new Failure("busy", "others"));
  return entry[event]();
}

/** From which state by which event to which; undefined: it must not happen. */
const TABLE: readonly [from: State, event: Event, callerLeft: boolean, to: State | undefined][] = [
  ["queued", "begin", false, "deciding"],
  ["queued", "begin", true, "ended"],
  ["queued", "pause", false, "queued"],
  ["queued", "pause", true, "queued"],
  ["queued", "leave", false, "queued"],
  ["queued", "leave", true, "ended"],
  ["queued", "answer", false, undefined],
  ["queued", "answer", true, undefined],
  ["queued", "fail", false, "ended"],
  ["queued", "fail", true, "ended"],
  ["deciding", "begin", false, undefined],
  ["deciding", "begin", true, undefined],
  ["deciding", "pause", false, "queued"],
  ["deciding", "pause", true, "queued"],
  ["deciding", "leave", false, "deciding"],
  ["deciding", "leave", true, "deciding"],
  ["deciding", "answer", false, "ended"],
  ["deciding", "answer", true, "ended"],
  ["deciding", "fail", false, "ended"],
  ["deciding", "fail", true, "ended"],
  ["ended", "begin", false, "ended"],
  ["ended", "begin", true, "ended"],
  ["ended", "pause", false, undefined],
  ["ended", "pause", true, undefined],
  ["ended", "leave", false, "ended"],
  ["ended", "leave", true, "ended"],
  ["ended", "answer", false, undefined],
  ["ended", "answer", true, undefined],
  ["ended", "fail", false, undefined],
  ["ended", "fail", true, undefined],
];

for (const [from, event, callerLeft, to] of TABLE) {
  Deno.test(`${from} --${event}${callerLeft ? ", its caller gone" : ""}--> ${to ?? "a fault that names the state"}`, () => {
    const { entry, caller, ends } = entryIn(from);
    if (callerLeft) caller.abort(new Error("left"));
    if (to === undefined) {
      assertThrows(() => happen(entry, event), InvariantError, `an entry is ${from}, and can't be`);
      return;
    }
    happen(entry, event);
    assertEquals([entry.hasEnded, ends.count], [to === "ended", to === "ended" ? 1 : 0]);
    // What is being decided can't be left, and can be answered; what is queued can be left.
    if (to === "deciding") entry.answer(SOLD);
    else if (to === "queued") assertThrows(() => entry.answer(SOLD), InvariantError, "is queued");
  });
}

Deno.test("the table has every cell", () => {
  assertEquals(new Set(TABLE.map(([from, event, left]) => `${from} ${event} ${left}`)).size, 3 * 5 * 2);
});

Deno.test("what has a lost write is not answered with a refusal, and fails as of unknown outcome", async () => {
  const { entry } = entryIn("deciding");
  entry.lostWrite = new OutcomeUnknownError("gone");
  entry.answer(SHORT);
  const failure = await assertRejects(() => entry.verdict, Failure);
  assertEquals(failure.kind, "outcome_unknown");
});

Deno.test("other content shows that a lost write was not made, but not that no shortfall was put on record", async () => {
  const differs: Verdict = {
    ok: false,
    refusal: { reason: "content_differs", field: "order_id", id: "o", differences: ["other lines"] },
  };
  const answered = async (recordsShortfall: boolean) => {
    const operation: Operation = { kind: "confirm", orderId: "o", lines: [], recordsShortfall };
    const entry = new Entry(operation, Infinity, new AbortController().signal, () => {});
    assert(entry.begin());
    entry.lostWrite = new OutcomeUnknownError("gone");
    entry.answer(differs);
    return await entry.verdict.catch((failure: Failure) => failure.kind);
  };
  assertEquals(await answered(false), differs);
  assertEquals(await answered(true), "outcome_unknown");
});
