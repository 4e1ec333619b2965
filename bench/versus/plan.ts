/** How often and how long both services are measured, and in what sequence. Pure, so that a test keeps the sum. */
import { VERSUS_SCENARIOS, type VersusScenario } from "./scenarios.ts";

/** Who is measured. */
export const SIDES = ["holdfast", "go"] as const;
/** One of {@link SIDES}. */
export type Side = typeof SIDES[number];

/** A run ends within this, or it is stopped and has failed. */
export const VERSUS_MS_MAX = 400_000;

/** What a run spends beside its windows, in ms: servers come up and the peer is compiled, and each measurement. */
const FIXED_MS = { start: 20_000, eachMeasurement: 350 } as const;

/** Rounds, and the times of each measurement. */
export interface VersusPlan {
  readonly rounds: number;
  readonly warmupMs: number;
  readonly windowMs: number;
}

/** The whole run, and one that is about correctness only. */
export const VERSUS_PLAN: VersusPlan = { rounds: 5, warmupMs: 700, windowMs: 3_000 };
export const VERSUS_SMOKE_PLAN: VersusPlan = { rounds: 1, warmupMs: 100, windowMs: 400 };

/** One measurement. */
export interface VersusTurn {
  readonly round: number;
  readonly scenario: VersusScenario;
  readonly side: Side;
}

/** All measurements, in their sequence: both of a scenario side by side, and in every other round the other first. */
export function versusTurns({ rounds }: VersusPlan): VersusTurn[] {
  return Array.from({ length: rounds }, (_, i) => {
    const sides = i % 2 === 0 ? SIDES : SIDES.toReversed();
    return VERSUS_SCENARIOS.flatMap((scenario) => sides.map((side) => ({ round: i + 1, scenario, side })));
  }).flat();
}

/** How long a run should take, in ms. */
export function versusPlannedMs(plan: VersusPlan): number {
  const each = plan.warmupMs + plan.windowMs + FIXED_MS.eachMeasurement;
  return FIXED_MS.start + versusTurns(plan).length * each;
}
