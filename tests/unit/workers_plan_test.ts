/** The supervisor's state machine, row by row of the table in src/workers/plan.ts, and over random histories. */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { begin, LIVED_MS_MIN, next, type Plan, type PlanAction, type PlanEvent } from "../../src/workers/plan.ts";

const URL_1 = "http://127.0.0.1:4000";

/** Leads a plan through events; answers it and the actions of the last event. */
function after(count: number, ...events: PlanEvent[]): { plan: Plan; actions: readonly PlanAction[] } {
  return events.reduce((step, event) => next(step.plan, event), begin(count));
}

const listens = (worker: number, atMs = 0): PlanEvent => ({ is: "listens", worker, url: URL_1, atMs });
const exited = (worker: number, code: number, atMs = 1): PlanEvent => ended(worker, code, null, atMs);
const killed = (worker: number, signal = "SIGKILL"): PlanEvent => ended(worker, 137, signal, 1);
const due = (worker: number): PlanEvent => ({ is: "due", worker });
const stop: PlanEvent = { is: "stop" };

function ended(worker: number, code: number, signal: string | null, atMs: number): PlanEvent {
  return { is: "ended", worker, code, signal, atMs, random: 0 };
}

const START_2_AND_3 = [2, 3].map((worker): PlanAction => ({ do: "start", worker, url: URL_1 }));

/** What happened before, the event in question, and what it leads to. */
const ROWS: [why: string, count: number, events: PlanEvent[], phase: Plan["phase"], actions: PlanAction[]][] = [
  ["the first worker listens: the others are started on its port", 3, [listens(1)], "starting", START_2_AND_3],
  ["not all listen yet", 3, [listens(1), listens(3)], "starting", []],
  [
    "all listen: it is announced",
    2,
    [listens(1), listens(2)],
    "serving",
    [{ do: "announce", url: URL_1 }],
  ],
  ["a single worker is all", 1, [listens(1)], "serving", [{ do: "announce", url: URL_1 }]],
  ["the first can't run on the settings", 2, [exited(1, 78)], "stopping", [{ do: "exit", code: 78 }]],
  ["the first fails otherwise", 2, [exited(1, 3)], "stopping", [{ do: "exit", code: 1 }]],
  ["the first exits with 0 before it listened", 2, [exited(1, 0)], "stopping", [{ do: "exit", code: 1 }]],
  [
    "another can't start: those that run are ended first",
    3,
    [listens(1), exited(2, 78)],
    "stopping",
    [{ do: "terminate", worker: 1 }, { do: "terminate", worker: 3 }],
  ],
  [
    "and its exit code stays, whatever becomes of the others",
    3,
    [listens(1), exited(2, 78), exited(1, 0), killed(3)],
    "stopping",
    [{ do: "exit", code: 78 }],
  ],
  [
    "one that listened dies before all have listened",
    2,
    [listens(1), killed(1)],
    "stopping",
    [{ do: "terminate", worker: 2 }],
  ],
  [
    "a worker dies while the service serves: it waits",
    2,
    [listens(1), listens(2), killed(2)],
    "serving",
    [{ do: "wait", worker: 2, delayMs: 100, failures: 1 }],
  ],
  [
    "the wait is over: it is started on the port of the others",
    2,
    [listens(1), listens(2), killed(2), due(2)],
    "serving",
    [{ do: "start", worker: 2, url: URL_1 }],
  ],
  [
    "it can't start later, not even with 78: it waits for longer",
    2,
    [listens(1), listens(2), killed(2), due(2), exited(2, 78)],
    "serving",
    [{ do: "wait", worker: 2, delayMs: 200, failures: 2 }],
  ],
  ["it listens again: that is no news", 2, [listens(1), listens(2), killed(2), due(2), listens(2)], "serving", []],
  [
    "it listened for too short a time: the row of deaths goes on",
    1,
    [listens(1), killed(1), due(1), listens(1, 100), exited(1, 1, 100 + LIVED_MS_MIN - 1)],
    "serving",
    [{ do: "wait", worker: 1, delayMs: 200, failures: 2 }],
  ],
  [
    "it listened for a while: a new row",
    1,
    [listens(1), killed(1), due(1), listens(1, 100), exited(1, 1, 100 + LIVED_MS_MIN)],
    "serving",
    [{ do: "wait", worker: 1, delayMs: 100, failures: 1 }],
  ],
  [
    "it took long to start and never listened: that is no life",
    1,
    [listens(1), killed(1), due(1), exited(1, 1, 10 * LIVED_MS_MIN)],
    "serving",
    [{ do: "wait", worker: 1, delayMs: 200, failures: 2 }],
  ],
  ["stop before the first listens", 2, [stop], "stopping", [{ do: "terminate", worker: 1 }]],
  [
    "a worker that was still starting falls to the signal: that is clean",
    2,
    [stop, ended(1, 143, "SIGTERM", 1)],
    "stopping",
    [{ do: "exit", code: 0 }],
  ],
  [
    "one that listened should not",
    1,
    [listens(1), stop, ended(1, 143, "SIGTERM", 1)],
    "stopping",
    [{ do: "exit", code: 1 }],
  ],
  [
    "stop: all that run are terminated",
    2,
    [listens(1), listens(2), stop],
    "stopping",
    [{ do: "terminate", worker: 1 }, { do: "terminate", worker: 2 }],
  ],
  ["one is gone, the other drains", 2, [listens(1), listens(2), stop, exited(1, 0)], "stopping", []],
  [
    "all exited with 0",
    2,
    [listens(1), listens(2), stop, exited(1, 0), exited(2, 0)],
    "stopping",
    [{ do: "exit", code: 0 }],
  ],
  [
    "one did not",
    2,
    [listens(1), listens(2), stop, killed(1), exited(2, 0)],
    "stopping",
    [{ do: "exit", code: 1 }],
  ],
  [
    "stop while one waits: only the other is there to be terminated",
    2,
    [listens(1), listens(2), killed(2), stop],
    "stopping",
    [{ do: "terminate", worker: 1 }],
  ],
  ["stop while all wait", 1, [listens(1), killed(1), stop], "stopping", [{ do: "exit", code: 0 }]],
  [
    "a wait that ends after the stop starts nothing",
    2,
    [listens(1), listens(2), killed(2), stop, due(2)],
    "stopping",
    [],
  ],
  ["a worker that listens after the stop is no news", 2, [listens(1), stop, listens(2)], "stopping", []],
  [
    "a second stop: what still runs is killed",
    2,
    [listens(1), listens(2), stop, exited(1, 0), stop],
    "stopping",
    [{ do: "kill", worker: 2 }, { do: "exit", code: 1 }],
  ],
];

for (const [why, count, events, phase, actions] of ROWS) {
  Deno.test(`plan: ${why}`, () => {
    const step = after(count, ...events);
    assertEquals([step.plan.phase, step.actions], [phase, actions]);
  });
}

Deno.test("plan: begins with the first worker alone, which claims the port", () => {
  assertEquals(begin(3).actions, [{ do: "start", worker: 1, url: undefined }]);
});

/** A history as it can be: what happens happens to processes that run and waits that were asked for. */
function live(count: number, choices: readonly number[]): { exits: number[]; plan: Plan } {
  const running = new Set<number>();
  const waiting = new Set<number>();
  const exits: number[] = [];
  let plan: Plan;
  const take = ({ plan: now, actions }: { plan: Plan; actions: readonly PlanAction[] }) => {
    plan = now;
    for (const action of actions) {
      if (action.do === "start") {
        assert(!running.has(action.worker), `worker ${action.worker} is started while it runs`);
        assertEquals(exits, [], "something is started after the exit");
        running.add(action.worker);
      } else if (action.do === "wait") waiting.add(action.worker);
      else if (action.do === "exit") exits.push(action.code);
      else if (action.do === "kill") running.delete(action.worker);
    }
  };
  take(begin(count));
  for (const choice of choices) {
    const worker = choice % count + 1;
    const what = Math.floor(choice / count) % 8;
    if (running.has(worker)) {
      if (what < 4) take(next(plan!, listens(worker)));
      else {
        running.delete(worker);
        take(next(plan!, exited(worker, [0, 1, 78, 143][what - 4]!)));
      }
    } else if (waiting.delete(worker)) take(next(plan!, due(worker)));
  }
  if (exits.length === 0) take(next(plan!, stop));
  while (exits.length === 0) {
    const [worker] = running;
    assert(worker !== undefined, "nothing runs, and it does not exit");
    running.delete(worker);
    take(next(plan!, exited(worker, 0)));
  }
  assertEquals(running.size, 0, "it exits before its workers");
  return { exits, plan: plan! };
}

Deno.test("plan: whatever happens, no worker runs twice, and a stop ends in one exit after the last worker", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 4 }), fc.array(fc.nat(1000), { maxLength: 60 }), (count, choices) => {
      assertEquals(live(count, choices).exits.length, 1);
    }),
    { numRuns: 500 },
  );
});
