/** A control arm, and what comes of it. */
import type { Protection } from "../protections/names.ts";

/** One arm. */
export interface Arm {
  readonly name: string;
  /** The faults of the suite that the protection is aimed at. */
  readonly faults: string;
  /** Out in both runs, so that nothing else stands in for the protection. */
  readonly base: readonly Protection[];
  /** Out in the first run only. */
  readonly out: readonly Protection[];
  /** Does the worst; answers what the checker found, and after how many calls. */
  run(without: readonly Protection[]): Promise<ArmOutcome>;
}

/** Calls that were made, and what the checker found then. */
export interface ArmOutcome {
  readonly operations: number;
  readonly violations: readonly string[];
}
