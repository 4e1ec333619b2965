/** A server that is measured from outside, whoever wrote it. Types only. */

/** It has as many goods as `GOODS` of scenarios.ts says, and serves the article's contract. */
export interface MeasuredServer {
  /** Such as `http://127.0.0.1:8080`. */
  readonly url: string;
  /** CPU time that it has taken since it started, user and system, in ms; undefined where the system does not say. */
  cpuMs(): number | undefined;
  /** Units that have left its tables since it started. */
  sold(): Promise<number>;
  close(): Promise<void>;
}
