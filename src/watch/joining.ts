/**
 * How long a stream waits before its first message, for what the database has to say: nobody hears a heartbeat before
 * it, and who hears nothing for some seconds gives the stream up.
 */
import { settled } from "../base/bounded_wait.ts";
import { DatabaseUnavailableError } from "../store/errors.ts";

/** For each thing that the database has to say; then its client tries elsewhere. */
const START_MS_MAX = 5_000;

/** For what came behind a position, where a stream can do without: together with the above less than 10 s. */
const RESUME_MS_MAX = 4_000;

/** What the work comes to. Throws DatabaseUnavailableError where that is not known in time, or the signal's reason. */
export async function bounded<T>(work: Promise<T>, signal: AbortSignal, msMax = START_MS_MAX): Promise<T> {
  signal.throwIfAborted();
  const { promise: over, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new DatabaseUnavailableError("the database did not say in time where it stands")),
    msMax,
  );
  const leave = () => reject(signal.reason);
  signal.addEventListener("abort", leave, { once: true });
  try {
    return await Promise.race([work, over]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", leave);
  }
}

/**
 * What the work comes to; undefined: it took too long, and was given up. It ends with the signal that it gets, which
 * aborts with the other one too.
 */
export async function inTime<T>(
  work: (signal: AbortSignal) => Promise<T>,
  signal: AbortSignal,
  msMax = RESUME_MS_MAX,
): Promise<T | undefined> {
  const end = new AbortController();
  const leave = () => end.abort(signal.reason);
  signal.addEventListener("abort", leave, { once: true });
  try {
    signal.throwIfAborted();
    const working = work(end.signal);
    if (await settled(working, msMax)) return await working;
    end.abort();
    return undefined;
  } finally {
    signal.removeEventListener("abort", leave);
  }
}
