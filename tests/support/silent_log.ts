/** A log for tests of what is not said: what says something there is looked at, or goes to the test's own output. */
import type { Log } from "../../src/telemetry/log.ts";

const say = () => {};

/** Says nothing, and needs no permission for it. */
export const SILENT: Log = { debug: say, info: say, warn: say, error: say };
