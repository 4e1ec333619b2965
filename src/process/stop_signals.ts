/** SIGTERM, SIGINT and SIGQUIT as requests to stop. */

/** Ctrl-C goes to the whole group, and `deno task` hands it on once more, which was seen to take 200 ms. */
const SAME_REQUEST_MS = 500;

/**
 * Distinguishes requests from repetitions: answers true for a signal that is a request of its own, and false when the
 * same one came just before. `atMs` is of any clock that runs forward.
 */
export function requestFilter(): (signal: string, atMs: number) => boolean {
  const seenMs = new Map<string, number>();
  return (signal, atMs) => {
    const isRequest = atMs - (seenMs.get(signal) ?? -Infinity) > SAME_REQUEST_MS;
    if (isRequest) seenMs.set(signal, atMs);
    return isRequest;
  };
}

/** From now on SIGTERM, SIGINT and SIGQUIT don't end this process but call `onRequest`, once for each request. */
export function onStopSignal(onRequest: (signal: Deno.Signal) => void): void {
  const isRequest = requestFilter();
  for (const signal of ["SIGTERM", "SIGINT", "SIGQUIT"] as const) {
    Deno.addSignalListener(signal, () => {
      if (isRequest(signal, performance.now())) onRequest(signal);
    });
  }
}
