/** What a fault is to the schedule. */
import type { Member } from "../fleet.ts";
import type { Random } from "../random.ts";
import type { Stage } from "../stage.ts";

/** Puts right what was done; waits until what was stopped runs again. */
export type Heal = () => Promise<void>;

/** How much of the lock a fault takes while nothing else is wrong. */
export type LockLoss = "none" | "minority" | "quorum";

/** A kind of fault. */
export interface Fault {
  /** As it stands in the table. */
  readonly name: string;
  /** Two faults of the same resource are never on at the same time. */
  readonly resource: "redis" | "postgres" | "process";
  /** How long it is on, in ms. */
  readonly holdMs: readonly [min: number, max: number];
  /** How often it is chosen, beside 1 of most. */
  readonly weight: number;
  /** Of five nodes, for the processes that have a lock. */
  readonly lockLoss: LockLoss;
  /** Whether PostgreSQL and the processes are as ever: then nobody may be refused while it costs no quorum. */
  readonly lockOnly: boolean;
  /** Undefined: it could not be done now. */
  inject(stage: Stage, random: Random): Promise<Heal | undefined>;
}

/** Fills in what most faults have. */
export function fault(
  name: string,
  resource: Fault["resource"],
  inject: Fault["inject"],
  more: Partial<Omit<Fault, "name" | "resource" | "inject">> = {},
): Fault {
  return { name, resource, inject, holdMs: [300, 1200], weight: 1, lockLoss: "none", lockOnly: false, ...more };
}

/** All processes. */
export function membersOf({ fleets }: Stage): Member[] {
  return fleets.flatMap(({ members }) => members);
}

/** One process that runs, of those that `suits`. */
export function pickMember(
  stage: Stage,
  random: Random,
  suits: (member: Member) => boolean = () => true,
): Member | undefined {
  const members = membersOf(stage).filter((member) => member.server !== undefined && suits(member));
  return members.length === 0 ? undefined : random.pick(members);
}
