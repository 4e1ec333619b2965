/**
 * Free loopback ports for the private servers.
 *
 * They are taken below the range from which systems pick the source port of outgoing connections (32768 and up on
 * Linux, 49152 and up elsewhere). A client that keeps calling a stopped server on a port of that range is one day
 * given the same number as its source port, connects to itself, and keeps the server from ever coming back.
 */

/** First and last port of a range. */
type Range = readonly [first: number, last: number];

/** Of those that look for another port where theirs was taken meanwhile. */
const SEARCHERS: Range = [20_000, 29_999];
/** Of those that cannot, and mostly listen only seconds later: where nobody starts as many servers as above. */
const FIXED: Range = [30_000, 32_767];
const PORT_TRIES_MAX = 200;
/** Starts of one server, each on another port. */
const STARTS_MAX = 3;

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
  return freePortOf(SEARCHERS);
}

/**
 * So many loopback ports that are free at this moment, no two the same, for servers that are given theirs and have no
 * second try. They come from a range that {@link freePort} never takes one of.
 *
 * @throws Error as {@link freePort} does
 */
export function freePorts(count: number): number[] {
  const ports = new Set<number>();
  while (ports.size < count) ports.add(freePortOf(FIXED));
  return [...ports];
}

/**
 * Starts a server on a port of {@link freePorts}, and on another one where somebody has taken that meanwhile, as the
 * server's own words in the error say.
 *
 * @throws Error as `start` does, for any other reason or after {@link STARTS_MAX} starts
 */
export async function onFreePort<T>(start: (port: number) => Promise<T>): Promise<T> {
  for (let starts = 1;; starts++) {
    const [port] = freePorts(1) as [number];
    try {
      return await start(port);
    } catch (error) {
      if (starts === STARTS_MAX || !/address already in use/i.test(`${error}`)) throw error;
    }
  }
}

function freePortOf([first, last]: Range): number {
  for (let attempt = 0; attempt < PORT_TRIES_MAX; attempt++) {
    const port = first + Math.floor(Math.random() * (last - first + 1));
    if (portIsFree(port)) return port;
  }
  throw new Error(
    `No free port on 127.0.0.1 between ${first} and ${last} in ${PORT_TRIES_MAX} tries: stop what fills that range`,
  );
}
