/** How long a stream waits for where the tailer stands, which the database has to say. */
import { DatabaseUnavailableError } from "../store/errors.ts";
import type { LivePosition } from "./position.ts";

/** Then its client tries elsewhere. */
const START_MS_MAX = 5_000;

/** Where the tailer stands. Throws DatabaseUnavailableError where that is not known in time, or the signal's reason. */
export async function bounded(origin: Promise<LivePosition>, signal: AbortSignal): Promise<LivePosition> {
  signal.throwIfAborted();
  const { promise: over, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new DatabaseUnavailableError("the database did not say where it stands")),
    START_MS_MAX,
  );
  const leave = () => reject(signal.reason);
  signal.addEventListener("abort", leave, { once: true });
  try {
    return await Promise.race([origin, over]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", leave);
  }
}
