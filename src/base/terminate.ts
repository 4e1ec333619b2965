/** How a process is ended: it is asked first, and killed when it does not end in time. */
import { settled } from "./bounded_wait.ts";

/** A process to end. */
export interface Ending {
  /** Sends a signal; may throw where the process has ended. */
  send(signal: Deno.Signal): void;
  /** Whether it has ended within so many ms, as soon as it has. */
  endsWithin(msMax: number): Promise<boolean>;
}

/**
 * Sends `signal`, and SIGKILL where the process is still there `msMax` milliseconds later. Resolves without waiting for
 * what SIGKILL does: true if it was not needed.
 */
export async function terminate(ending: Ending, signal: Deno.Signal, msMax: number): Promise<boolean> {
  // A paused process sees no other signal but SIGKILL before it goes on.
  sendIfAlive(() => ending.send("SIGCONT"));
  sendIfAlive(() => ending.send(signal));
  if (await ending.endsWithin(msMax)) return true;
  sendIfAlive(() => ending.send("SIGKILL"));
  return false;
}

/** {@link Ending.endsWithin} of a process whose end is a promise. */
export function endsBy(ended: Promise<unknown>): Ending["endsWithin"] {
  return (msMax) => settled(ended, msMax);
}

/** Sends a signal; does nothing where the process has ended, which may happen between a look and the call. */
export function sendIfAlive(send: () => void): void {
  try {
    send();
  } catch (error) {
    if (!(error instanceof TypeError) && !(error instanceof Deno.errors.NotFound)) throw error;
  }
}
