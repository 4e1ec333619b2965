/** What a stream knows of the end of the connection that it goes over. */
import { NEVER } from "./never.ts";

/** Of one connection. */
export interface Leaving {
  /** Aborts when the peer is asked to make another connection. */
  readonly signal: AbortSignal;
  /**
   * The connection is not cut for being left until what this answers is called: for a stream that has given its client
   * nothing to go on from yet, which would begin anew on each connection and never come to its end.
   */
  stay(): () => void;
}

/** Of a stream that came over no connection that is left. */
export const NEVER_LEFT: Leaving = { signal: NEVER, stay: () => () => {} };
