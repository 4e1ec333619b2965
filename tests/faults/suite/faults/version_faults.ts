/** The program of another version, on the same database and the same nodes for a while. */
import { type Fault, fault } from "./fault.ts";

export const VERSION_FAULTS: readonly Fault[] = [
  fault("the version before beside this one", "process", async ({ fleets, before }, random) => {
    if (before === undefined) return undefined;
    const fleet = random.pick(fleets);
    const guest = await fleet.startGuest(before);
    return async () => {
      fleet.guest = undefined;
      await guest.stop(random.chance(0.5) ? "SIGKILL" : "SIGTERM");
    };
  }, { holdMs: [2000, 4000], weight: 0.4 }),
];
