/** Errors that nobody caught: whose doing one is, and how many lines are written about them. No I/O. */

/** So many lines are written in one period; the rest is counted. */
const LINES_MAX = 5;
/** The period, in ms. */
export const LINES_PERIOD_MS = 10_000;

/**
 * True if an uncaught error was thrown by our own code: the innermost place in its stack that is not the runtime's is
 * in none of the packages. One without a stack, or of the runtime alone (a socket's error), is not ours. Pure.
 */
export function isOwnFault(error: unknown): boolean {
  const stack = error instanceof Error ? error.stack ?? "" : "";
  const places = stack.split("\n").filter((line) => /^\s+at /.test(line) && line.includes("file://"));
  return places[0] !== undefined && !places[0].includes("/node_modules/");
}

/** Counts what may be written: a flood of errors must not become a flood of lines. No I/O: it is given the time. */
export class LineBudget {
  #periodBeganMs = -Infinity;
  #written = 0;
  #leftOut = 0;

  /** Whether a line may be written now, and how many were left out before it. */
  take(nowMs: number): { readonly isWritten: boolean; readonly leftOut: number } {
    if (nowMs - this.#periodBeganMs >= LINES_PERIOD_MS) {
      this.#periodBeganMs = nowMs;
      this.#written = 0;
    }
    if (this.#written >= LINES_MAX) {
      this.#leftOut++;
      return { isWritten: false, leftOut: 0 };
    }
    this.#written++;
    return { isWritten: true, leftOut: this.takeLeftOut() };
  }

  /** How many were left out since this was last asked. */
  takeLeftOut(): number {
    const leftOut = this.#leftOut;
    this.#leftOut = 0;
    return leftOut;
  }
}
