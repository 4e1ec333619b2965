/**
 * Mode `optimistic`: nobody is kept away; a write whose goods have changed since its read is lost to the fence, and
 * repeated.
 */
import { type Guard, GuardsWithoutLeases } from "./mode.ts";

const FENCE_ALONE: Guard = {
  rowLocks: false,
  extend: () => Promise.resolve(true),
  remainingMs: () => Infinity,
};

/** Guards of a process in mode `optimistic`. */
export class OptimisticGuards extends GuardsWithoutLeases {
  constructor() {
    super(FENCE_ALONE);
  }
}
