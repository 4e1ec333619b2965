/** What a process shows of itself, as the rooms give it: read when somebody asks, and by nobody else. */
import type { HealthView } from "../health/board.ts";
import type { FallbackView } from "../lanes/modes/quorum_fallback.ts";
import type { SweeperView } from "../jobs/hold_sweeper.ts";
import type { LedgerCheckView } from "../jobs/ledger_check.ts";
import type { LanesTallies } from "../lanes/tallies.ts";
import type { CallLimitsView } from "../limits/call_limits.ts";
import type { LockStatus } from "../lock/status.ts";
import type { BudgetView } from "../rpc/messages/budget.ts";
import type { StoreView } from "../store/store.ts";
import type { ProcessMeasures } from "../telemetry/process_measures.ts";
import type { ListenerView } from "../transport/listener.ts";
import type { TailerView } from "../watch/tailer.ts";

/** What the lanes have now. */
export interface LanesView {
  /** Entries that stand in line. */
  readonly waiting: number;
  /** Operations admitted and not ended, those of batches under way included; and how many there may be. */
  readonly operations: number;
  readonly operationsMax: number;
  /** Batches under way. */
  readonly batches: number;
  readonly fallback: FallbackView;
  /** Batches that went by row locks although nothing is away, by why. */
  readonly detours: Readonly<Record<string, number>>;
  readonly tallies: LanesTallies;
}

/** What a serving process shows. */
export interface Served {
  health(): HealthView;
  readonly lanes: LanesView;
  /** Undefined in the modes without Redis. */
  lock(): LockStatus | undefined;
  /** Undefined where the store is none of ours. */
  store(): StoreView | undefined;
  listener(): ListenerView;
  messages(): BudgetView & { readonly unreadable: number };
  limits(): CallLimitsView;
  /** Calls whose callers did not prove who they are, or may not do that, by why. */
  refusedCallers(): ReadonlyMap<string, number>;
  sweeper(): SweeperView;
  /** Undefined where nothing is compared. */
  ledger(): LedgerCheckView | undefined;
  tailer(): TailerView;
  readonly measures: ProcessMeasures;
}

/** All of it, with what is the process's own. */
export interface Sources {
  readonly served: Served;
  readonly build: { readonly version: string; readonly deno: string };
  /** When its certificate expires, in ms since the epoch; undefined: it has none. */
  certificateExpiryMs(): number | undefined;
}
