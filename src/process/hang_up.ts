/**
 * SIGHUP, which ends no process of ours as it comes: it is a request to take up renewed files, or the word that the
 * terminal has closed, which is a request to stop.
 */

/** What to do. */
export interface HangUpOptions {
  readonly reload: () => void;
  readonly stop: (why: string) => void;
}

/** From now on SIGHUP calls one of the two. */
export function onHangUp({ reload, stop }: HangUpOptions): void {
  const terminals = [Deno.stdin, Deno.stdout, Deno.stderr].filter((stream) => stream.isTerminal());
  Deno.addSignalListener("SIGHUP", () => {
    // One that has closed is no terminal any more; a server that nobody sees should not go on there.
    if (terminals.some((stream) => !stream.isTerminal())) stop("SIGHUP: the terminal has closed");
    else reload();
  });
}
