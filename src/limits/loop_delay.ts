/** How late the event loop is, by a timer of its own that costs next to nothing. */

/** From one look to the next, in ms, while the loop is not late. */
const LOOK_EVERY_MS = 100;

/** What is called at each look, with how late it was and how long ago the one before, in ms. */
export type Look = (lateMs: number, sinceMs: number) => void;

/**
 * Looks until the function is called that it returns; does not keep the process running.
 *
 * A timer goes off once in a turn of the loop, so that it is as late as the turns are long.
 */
export function watchLoopDelay(look: Look): () => void {
  let timer: ReturnType<typeof setTimeout>;
  let setAt = performance.now();
  const set = () => {
    timer = setTimeout(looked, LOOK_EVERY_MS);
    Deno.unrefTimer(timer as unknown as number);
  };
  const looked = () => {
    const now = performance.now();
    const sinceMs = now - setAt;
    setAt = now;
    set();
    look(Math.max(0, sinceMs - LOOK_EVERY_MS), sinceMs);
  };
  set();
  return () => clearTimeout(timer);
}
