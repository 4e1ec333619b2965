/**
 * Free loopback ports for the private servers.
 *
 * They are taken below the range from which systems pick the source port of outgoing connections (32768 and up on
 * Linux, 49152 and up elsewhere). A client that keeps calling a stopped server on a port of that range is one day
 * given the same number as its source port, connects to itself, and keeps the server from ever coming back.
 */

const PORT_MIN = 20_000;
const PORT_MAX = 29_999;
const PORT_TRIES_MAX = 200;

/** True when nothing listens on this port of 127.0.0.1 at this moment. */
export function portIsFree(port: number): boolean {
  try {
    Deno.listen({ hostname: "127.0.0.1", port }).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) return false;
    throw error;
  }
}

/**
 * A loopback port that is free at this moment, chosen at random so that launchers side by side seldom meet.
 * Another program may still take it before the caller does; who starts a server on it has to try again then.
 *
 * @throws Error when no free port was found within {@link PORT_TRIES_MAX} tries
 */
export function freePort(): number {
  for (let attempt = 0; attempt < PORT_TRIES_MAX; attempt++) {
    const port = PORT_MIN + Math.floor(Math.random() * (PORT_MAX - PORT_MIN + 1));
    if (portIsFree(port)) return port;
  }
  throw new Error(
    `No free port on 127.0.0.1 between ${PORT_MIN} and ${PORT_MAX} in ${PORT_TRIES_MAX} tries: stop what fills that range`,
  );
}
