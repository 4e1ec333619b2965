/** What streams of changes bring, as plain data; the wire has messages of the same names. */
import type { ListedLevel } from "../inventory/queries.ts";
import type { TailRow } from "../store/statements/tail_rows.ts";
import type { InvChange } from "./changes.ts";
import type { Position } from "./position.ts";

/** Longest time between two events where nothing else is asked for, in ms. */
export const HEARTBEAT_MS = 10_000;

/** How a stream begins; see WatchStart in watch.proto. */
export type Start = "snapshot" | "resumed" | "other_database" | "past_gone" | "now";

/** Why the server ends a stream; see WatchEnd in watch.proto. */
export type End = "age" | "draining" | "behind";

/** From where to go on once this event and all before it are taken in; absent: as it was before. */
interface At {
  readonly position?: Position | undefined;
}

/** The first, and the last, of a stream, and what says that it is alive. */
export type FrameEvent =
  & At
  & (
    | { readonly kind: "started"; readonly start: Start; readonly databaseId: string; readonly heartbeatMs: number }
    | { readonly kind: "heartbeat" }
    | { readonly kind: "ended"; readonly end: End }
  );

/** Of a stream of levels. */
export type InvEvent =
  | FrameEvent
  | At
    & (
      | { readonly kind: "snapshot"; readonly levels: readonly ListedLevel[]; readonly isComplete: boolean }
      | { readonly kind: "changes"; readonly changes: readonly FoldedChange[] }
    );

/** Of a stream of movements. */
export type MovementEvent = FrameEvent | At & { readonly kind: "movements"; readonly rows: readonly TailRow[] };

/** A change that may stand for others of its place before it. */
export interface FoldedChange {
  readonly change: InvChange;
  /** So many of them. */
  readonly folded: number;
}
