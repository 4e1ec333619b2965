/**
 * Everything that five nodes can answer, over nodes of the test's own and a clock that only the test moves: 3^5 vectors
 * of yes, no and silence, in several sequences of arrival, against the rule written out.
 */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { InvariantError } from "../../src/base/invariant.ts";
import { type Attempt, tryAcquire, type VotingNode } from "../../src/lock/attempt.ts";
import { Ballot, quorumOf, resultOf, type Vote } from "../../src/lock/ballot.ts";
import { ACQUIRE_SCRIPT, scriptHash } from "../../src/lock/scripts.ts";

const NODES = 5;
const NODE_LIMIT_MS = 100;
const VOTES: readonly Vote[] = ["yes", "no", "missing"];
/** When each node that answers does so; silence ends at the limit. */
const ARRIVALS: readonly (readonly number[])[] = [
  [1, 2, 3, 4, 5],
  [5, 4, 3, 2, 1],
  [3, 1, 5, 2, 4],
  [1, 1, 1, 1, 1],
];

/** Time that passes only when the test says so, to one event after the other. */
class Clock {
  nowMs = 0;
  readonly #events: { readonly atMs: number; readonly happen: () => void }[] = [];

  at(atMs: number, happen: () => void): void {
    this.#events.push({ atMs, happen });
  }

  /** Lets time pass until `isOver`; what an event leads to has happened before the next one. */
  async run(isOver: () => boolean): Promise<void> {
    await settle();
    for (const { atMs, happen } of this.#events.sort((a, b) => a.atMs - b.atMs)) {
      if (isOver()) return;
      this.nowMs = atMs;
      happen();
      await settle();
    }
  }
}

/** Promises that hang on what just happened have all been served after so many turns. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 30; turn++) await Promise.resolve();
}

class StubNode implements VotingNode {
  readonly noVoteReason: string | undefined = undefined;
  readonly counted: Vote[] = [];
  readonly released: unknown[] = [];
  readonly #clock: Clock;
  readonly #vote: Vote;
  readonly #atMs: number;

  constructor(clock: Clock, vote: Vote, atMs: number) {
    this.#clock = clock;
    this.#vote = vote;
    this.#atMs = atMs;
  }

  count(vote: Vote): void {
    this.counted.push(vote);
  }

  evalsha(hash: string, keyCount: number, args: (string | number)[]): Promise<unknown> {
    if (hash !== scriptHash(ACQUIRE_SCRIPT)) {
      this.released.push(args[keyCount]);
      return Promise.resolve(0);
    }
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const atMs = this.#clock.nowMs + (this.#vote === "missing" ? NODE_LIMIT_MS : this.#atMs);
    this.#clock.at(atMs, () => {
      if (this.#vote === "missing") reject(new Error("Command timed out"));
      else resolve(this.#vote === "yes" ? keyCount : 0);
    });
    return promise;
  }

  eval(): Promise<unknown> {
    return Promise.reject(new Error("the script is known"));
  }
}

/** The rule, and the moment at which it is certain: no completion of what is out could come to something else. */
function rule(votes: readonly Vote[], arrivals: readonly number[]): { result: string; atMs: number } {
  const whole = (all: readonly Vote[]) => {
    if (all.filter((vote) => vote === "yes").length >= 3) return "acquired";
    if (all.filter((vote) => vote === "missing").length >= 3) return "no_quorum";
    return "taken";
  };
  const times = votes.map((vote, i) => vote === "missing" ? NODE_LIMIT_MS : arrivals[i] ?? 0);
  for (const atMs of [...new Set(times)].sort((a, b) => a - b)) {
    const out = times.flatMap((time, i) => time > atMs ? [i] : []);
    const ends = new Set(
      vectors(out.length).map((rest) => {
        const all = [...votes];
        out.forEach((node, i) => all[node] = rest[i] as Vote);
        return whole(all);
      }),
    );
    const [end] = ends;
    if (ends.size === 1 && end !== undefined) return { result: end, atMs };
  }
  throw new Error("at the last vote it is certain");
}

/** All vectors of so many votes. */
function vectors(length: number): Vote[][] {
  if (length === 0) return [[]];
  return vectors(length - 1).flatMap((rest) => VOTES.map((vote) => [...rest, vote]));
}

async function attempt(votes: readonly Vote[], arrivals: readonly number[]) {
  const clock = new Clock();
  const nodes = votes.map((vote, i) => new StubNode(clock, vote, arrivals[i] ?? 0));
  let ended: { attempt: Attempt; atMs: number } | undefined;
  const trying = tryAcquire(nodes, ["goods:1"], 1000).then((attempt) => ended = { attempt, atMs: clock.nowMs });
  await clock.run(() => ended !== undefined);
  assert(ended !== undefined, `${votes}: no result when all had voted`);
  // The votes that were out come in, and everything is released.
  await clock.run(() => false);
  await trying;
  await ended.attempt.settled;
  return { ...ended, nodes };
}

for (const arrivals of ARRIVALS) {
  Deno.test(`all ${3 ** NODES} vectors of votes that come at ${arrivals} ms end as the rule says, and as soon as it is certain`, async () => {
    const all = vectors(NODES);
    assertEquals(all.length, 243);
    for (const votes of all) {
      const { attempt: { result, lock, ballot }, atMs, nodes } = await attempt(votes, arrivals);
      const expected = rule(votes, arrivals);
      assertEquals({ result, atMs }, expected, votes.join(","));
      assertEquals(lock !== undefined, result === "acquired", votes.join(","));
      assertEquals(ballot.votes, votes, "each node's vote is known");
      assertEquals(nodes.map(({ counted }) => counted), votes.map((vote) => [vote]), votes.join(","));
      // Nothing is kept of what was not acquired: every node is asked to release, those too that were not heard of.
      const asked = nodes.filter(({ released }) => released.length > 0).length;
      assertEquals(asked, result === "acquired" ? 0 : NODES, votes.join(","));
    }
  });
}

Deno.test("a node without a vote is not asked, and does not make the count smaller", async () => {
  const clock = new Clock();
  const nodes = Array.from({ length: NODES }, () => new StubNode(clock, "yes", 1));
  for (const node of nodes.slice(0, 3)) Object.assign(node, { noVoteReason: "in quarantine" });
  let ended: Attempt | undefined;
  const trying = tryAcquire(nodes, ["goods:1"], 1000).then((attempt) => ended = attempt);
  await clock.run(() => ended !== undefined);
  assertEquals(ended?.result, "no_quorum");
  assertEquals(ended?.ballot.tally.split(",").slice(0, 3), Array(3).fill("missing (in quarantine)"));
  await clock.run(() => false);
  await trying;
});

Deno.test("a node votes once, and a yes behind the result changes nothing", async () => {
  const ballot = new Ballot(NODES);
  ballot.cast(0, "missing", "Command timed out");
  for (const [index, vote] of [[1, "yes"], [2, "yes"], [3, "no"]] as const) ballot.cast(index, vote);
  assertEquals(ballot.tally, "missing (Command timed out),yes,yes,no,out");
  ballot.cast(4, "missing", "down");
  assertEquals(await ballot.decided, "taken");
  const votes: (Vote | undefined)[] = ["yes", "yes", "missing", "missing", "missing"];
  assertEquals(resultOf(votes), "no_quorum");
  assertEquals([3, 5, 7].map(quorumOf), [2, 3, 4]);
});

Deno.test("a second vote of a node throws and ends the attempt, whoever it is thrown at", async () => {
  const ballot = new Ballot(NODES);
  ballot.cast(0, "no");
  const message = "the vote of node 1 is no, and can't be cast as yes";
  assertThrows(() => ballot.cast(0, "yes"), InvariantError, message);
  await assertRejects(() => ballot.decided, InvariantError, message);
  const decided = new Ballot(1);
  decided.cast(0, "yes");
  assertThrows(() => decided.cast(0, "yes"), InvariantError, "is yes");
  assertEquals(await decided.decided, "acquired");
});
