/** What a failed statement comes to, and what the log has of it that nobody else says. */
import { errorFields, errorSummary, type Log } from "../../telemetry/log.ts";
import { RareLine } from "../../telemetry/rare_line.ts";
import { isDriverFault, lacksResources, OutcomeUnknownError, storeError } from "../errors.ts";

/** Of one pool's statements. */
export class Judge {
  readonly #log: Log;
  readonly #lacking: RareLine;

  constructor(log: Log) {
    this.#log = log;
    this.#lacking = new RareLine(log, "PostgreSQL lacks what statements need", undefined, "warn");
  }

  /**
   * A driver's error as one of ours. What it fails over was sent, and may have committed.
   *
   * @param wasTaken whether PostgreSQL had let the connection in: a log-in that is refused is for health to say
   */
  errorOf(error: unknown, wasTaken: boolean): unknown {
    if (wasTaken && lacksResources(error)) this.#lacking.note({ error: errorSummary(error) });
    const ours = storeError(error);
    if (!isDriverFault(ours)) return ours;
    this.#log.error({ error: errorFields(error) }, "the driver failed over an answer of PostgreSQL");
    return new OutcomeUnknownError("PostgreSQL's answer could not be read", { cause: error });
  }
}
