/**
 * Waiting for a goods that another process has: until it seems to be free, and for a bounded time.
 *
 * To look takes one question to one node, and nobody out of his lane. An attempt takes some thirteen, with the release
 * behind it and the waiter hint, and has all who wait leave their lanes and come back. Attempts were made every 6 ms
 * before, and nobody sold for 4 ms or more whenever a process left a goods to another.
 */
import { byTimeout, type Later } from "./modes/lingering.ts";
import { lookDelayMs } from "./modes/retry_delay.ts";

/** What is waited for. */
export interface FreeWait {
  /** The longest wait, in ms, whatever the looks say: they are answered by one node, if at all. */
  readonly delayMs: number;
  /** One look. Never rejects. */
  seemsFree(): Promise<boolean>;
  /** Answers in [0, 1). */
  random(): number;
}

/**
 * Calls `over`, once, when the wait is over, and says whether a look has found the goods free. One look follows the
 * other: a node that froze is asked once.
 */
export function untilFree(
  { delayMs, seemsFree, random }: FreeWait,
  over: (seenFree: boolean) => void,
  later: Later = byTimeout,
): void {
  let isOver = false;
  let cancelLook = () => {};
  const end = (seenFree: boolean) => {
    if (isOver) return;
    isOver = true;
    cancelEnd();
    cancelLook();
    over(seenFree);
  };
  const look = async () => {
    if (await seemsFree()) end(true);
    else if (!isOver) lookLater();
  };
  const lookLater = () => cancelLook = later(look, lookDelayMs(random()));
  const cancelEnd = later(() => end(false), delayMs);
  lookLater();
}
