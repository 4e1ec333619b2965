/** SIGTERM and SIGINT as requests to stop. */

/** Ctrl-C goes to the whole group, and `deno task` hands it on once more: within this time it is the same request. */
const SAME_REQUEST_MS = 500;

/** From now on SIGTERM and SIGINT don't end this process but call `onRequest`, once for each request. */
export function onStopSignal(onRequest: (signal: Deno.Signal) => void): void {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    let seenMs = -Infinity;
    Deno.addSignalListener(signal, () => {
      const nowMs = performance.now();
      const isNew = nowMs - seenMs > SAME_REQUEST_MS;
      seenMs = nowMs;
      if (isNew) onRequest(signal);
    });
  }
}
