/** Which faults come when: rounds, some of one fault alone, others of a pair, with a short recovery in between. */
import { setTimeout as delay } from "node:timers/promises";
import type { Fault, Heal } from "./faults/fault.ts";
import { POSTGRES_FAULTS } from "./faults/postgres_faults.ts";
import { PROCESS_FAULTS } from "./faults/process_faults.ts";
import { CALM, REDIS_FAULTS } from "./faults/redis_faults.ts";
import { until } from "../../../src/base/bounded_wait.ts";
import { LOCK_TTL_MS, LOCK_WAIT_MS_MAX } from "./fleet.ts";
import { VERSION_FAULTS } from "./faults/version_faults.ts";
import type { Random } from "./random.ts";
import type { Stage } from "./stage.ts";

/** All that there are. */
export const FAULTS: readonly Fault[] = [...REDIS_FAULTS, ...PROCESS_FAULTS, ...POSTGRES_FAULTS, ...VERSION_FAULTS];
const RECOVERY_MS: readonly [number, number] = [150, 500];
/**
 * After a fault whose cost is measured: until all who began under it are answered, and some more for a loaded machine.
 */
const ANSWERED_MS_MAX = LOCK_WAIT_MS_MAX + 300;
/** A node that has just started has no vote for a TTL, and another second for the precision of its uptime. */
const VOTE_MS_MAX = LOCK_TTL_MS + 3000;
/** Share of the rounds with two faults. */
const PAIRS = 0.6;
/** A pair's second fault comes so long after the first. */
const APART_MS_MAX = 400;

/** Faults that were on, and when; times on the monotonic clock. */
export interface Round {
  readonly faults: readonly Fault[];
  readonly fromMs: number;
  readonly toMs: number;
}

/** What the rounds of a run are made of. */
export class Schedule {
  readonly rounds: Round[] = [];
  readonly #stage: Stage;
  readonly #random: Random;
  readonly #faults: readonly Fault[];
  /** Each fault once in random order before any comes again: what is left of that. */
  #first: Fault[];

  constructor(stage: Stage, random: Random, faults: readonly Fault[] = FAULTS) {
    this.#stage = stage;
    this.#random = random;
    this.#faults = faults;
    this.#first = random.sample(faults, faults.length);
  }

  /** How often each fault was on, by name, of those that there are to choose from. */
  get counts(): ReadonlyMap<string, number> {
    const counts = new Map(this.#faults.map(({ name }) => [name, 0]));
    for (const { faults } of this.rounds) {
      for (const { name } of faults) counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    counts.delete(CALM.name);
    return counts;
  }

  /** One round: injects, waits, heals, looks whether everything moves, recovers. */
  async round(look: () => Promise<unknown>): Promise<Round> {
    const random = this.#random;
    const chosen = [this.#choose(() => true)];
    if (chosen[0] !== CALM && random.chance(PAIRS)) {
      const [first] = chosen;
      const second = (fault: Fault) => fault !== CALM && fault.resource !== first?.resource;
      if (this.#faults.some(second)) chosen.push(this.#choose(second));
    }
    // What nodes still in quarantine and leases of dead processes cost is not this fault's.
    const isMeasured = chosen.length === 1 && chosen[0]?.lockOnly === true;
    if (isMeasured) await this.#lockIsFree();
    const fromMs = performance.now();
    const done: Fault[] = [];
    const heals = await Promise.all(chosen.map(async (fault, i) => {
      if (i > 0) await delay(random.next() * APART_MS_MAX);
      const heal = await fault.inject(this.#stage, random.fork());
      if (heal !== undefined) done.push(fault);
      return async () => {
        await delay(random.integer(...fault.holdMs));
        await heal?.();
      };
    }));
    await Promise.all(heals.map((heal: Heal) => heal()));
    const round = { faults: done, fromMs, toMs: performance.now() };
    this.rounds.push(round);
    await look();
    await delay(isMeasured ? ANSWERED_MS_MAX : random.integer(...RECOVERY_MS));
    return round;
  }

  /**
   * Waits, bounded, until leases of processes that were killed are over, and every process with a lock sees all nodes
   * up.
   */
  async #lockIsFree(): Promise<void> {
    const killed = this.rounds.findLast(({ faults }) => faults.some(({ resource }) => resource === "process"));
    await delay(Math.max(0, (killed?.toMs ?? -Infinity) + LOCK_TTL_MS - performance.now()));
    const members = this.#stage.fleets.flatMap(({ members }) => members).filter(({ redis }) => redis.length > 0);
    await until(
      async () => (await Promise.all(members.map((member) => member.seesAllNodes()))).every(Boolean),
      VOTE_MS_MAX,
    );
  }

  #choose(suits: (fault: Fault) => boolean): Fault {
    const index = this.#first.findIndex(suits);
    if (index >= 0) return this.#first.splice(index, 1)[0]!;
    const faults = this.#faults.filter(suits);
    let left = this.#random.next() * faults.reduce((sum, { weight }) => sum + weight, 0);
    for (const fault of faults) {
      left -= fault.weight;
      if (left < 0) return fault;
    }
    throw new Error("There is no fault to choose");
  }
}
