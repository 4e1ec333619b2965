/** How long callers of a pool waited for a connection: numbers since the start. */
import { Distribution, SECONDS } from "../../telemetry/measures.ts";

/** The waits of one pool. */
export class ConnectionWaits {
  /** Of those who got one, with 0 where it was free at once. */
  readonly seconds = new Distribution(SECONDS);
  /** Callers that left without one, as their time was up, or as too many waited. */
  timeouts = 0;
}
