/**
 * The time limit of what another machine is asked. It counts the time in which our own loop went: an answer that lay in
 * the socket while the loop stood still is read before it is judged, so a stall of ours is no outage of theirs.
 */

/**
 * A timer that fires this much too late says that the loop stood still. Timers of a loop that is only busy come closer.
 */
const STOOD_MS_MIN = 10;
/** Beside the time for which the loop stood at the least: for what could not be sent before it did. */
const AFTERWARDS_MS = 50;

/** No answer came in time. */
export class TimeLimitError extends Error {
  override name = "TimeLimitError";
}

/**
 * What `answer` comes to within `limitMs`, else TimeLimitError. Where the loop stood still when the limit came, the
 * answer has as much time again, but no more than `limitMs`, and that once.
 */
export function timeLimited<T>(answer: Promise<T>, limitMs: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const dueMs = performance.now() + limitMs;
    let timer: ReturnType<typeof setTimeout>;
    // One more turn of the loop: what has arrived by now comes first.
    const judge = () => timer = setTimeout(() => reject(new TimeLimitError("Command timed out")), 0);
    timer = setTimeout(() => {
      const lateMs = performance.now() - dueMs;
      if (lateMs < STOOD_MS_MIN) judge();
      else timer = setTimeout(judge, Math.min(lateMs + AFTERWARDS_MS, limitMs));
    }, limitMs);
    answer.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
