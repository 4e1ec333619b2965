/**
 * The mode in which this process keeps writers of the same goods apart. Whatever the mode, every write is fenced by the
 * ledger, so processes in different modes may work side by side.
 */
import type { ModeName, QuorumLoss } from "../../config/mode_names.ts";
import type { Lock } from "../../lock/lock.ts";

/** A mode, with what it needs. */
export type Mode =
  | { readonly concurrency: "redlock"; readonly lock: Lock; readonly quorumLoss: QuorumLoss }
  | { readonly concurrency: Exclude<ModeName, "redlock"> };
