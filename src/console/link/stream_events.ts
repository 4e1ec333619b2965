/** What the stream says to whoever shows stock: plain data, which can be posted from a worker to its tabs. */
import type { InvChange } from "../../gen/inventory/v1/watch_pb.ts";

/** Whether changes arrive: not yet, now, no more for the moment, or never, as this caller may not watch. */
export type LinkState = "connecting" | "live" | "away" | "denied";

/** One thing that the stream says. */
export type StreamEvent =
  | { readonly kind: "state"; readonly state: LinkState }
  | { readonly kind: "changes"; readonly changes: readonly InvChange[] }
  /** Changes may have been missed: what is shown is to be read anew. */
  | { readonly kind: "reload" }
  /** The server does not let this caller watch; it is not asked again. `code` is one of Connect's. */
  | { readonly kind: "refused"; readonly code: number; readonly message: string };

/** A tab's part in the stream. */
export interface StreamPart {
  /** Somebody looks at the page again. */
  look(): void;
  close(): void;
}
