/**
 * The deadline that a call brought with its header, which is when it begins to run, while the message may still be missing.
 */
import { Code, ConnectError } from "@connectrpc/connect";

/** What a call is answered whose deadline passed, as Connect says it. */
export function deadlinePassed(): ConnectError {
  return new ConnectError("the operation timed out", Code.DeadlineExceeded);
}

/** One deadline, running from its making until it passes or is stopped. */
export class CallDeadline {
  readonly #passesAt: number;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param timeoutMs of the call; one of 0 has passed already, which is told by `handOver`
   * @param passed called once, when it passes
   */
  constructor(timeoutMs: number, private passed: () => void) {
    this.#passesAt = performance.now() + timeoutMs;
    if (timeoutMs > 0) this.#timer = setTimeout(() => this.passed(), timeoutMs);
  }

  /** What is left of it, in ms; not above 0 where it has passed. */
  get remainingMs(): number {
    return this.#passesAt - performance.now();
  }

  /** From now on calls this one instead, and at once where it has passed without having been told. */
  handOver(passed: () => void): void {
    this.passed = passed;
    if (this.remainingMs > 0) return;
    this.stop();
    passed();
  }

  /** Calls nobody any more. */
  stop(): void {
    clearTimeout(this.#timer);
  }
}
