/**
 * Loopback ports for the private servers. Who takes one has it until its process ends, whether or not a server listens
 * on it at the moment: one that was stopped finds its port again, whatever was started meanwhile by other processes.
 *
 * To each port belongs another one, its reservation, on which the process that has it listens and takes no connection:
 * of all records of who has what it is the one that the system keeps for all processes and takes back at any end.
 *
 * All are below the range from which systems pick the source port of outgoing connections (32768 and up on Linux,
 * 49152 and up elsewhere). A client that keeps calling a stopped server on a port of that range is one day given the
 * same number as its source port, connects to itself, and keeps the server from ever coming back.
 */

const FIRST_PORT = 20_000;
const LAST_PORT = 26_383;
/** From a port to its reservation; those end at 32767. */
const TO_RESERVATION = LAST_PORT - FIRST_PORT + 1;
const PORT_TRIES_MAX = 200;

/** This process's; their listeners are never closed. */
const reserved = new Set<number>();

/**
 * Takes the port that is asked for, where it is one of ours, nobody has it but this process, and nothing listens on it
 * at this moment.
 *
 * @returns whether it is taken
 */
export function takePort(port: number): boolean {
  if (!Number.isInteger(port) || port < FIRST_PORT || port > LAST_PORT) return false;
  if (reserved.has(port)) return portIsFree(port);
  const reservation = listenOn(port + TO_RESERVATION);
  if (reservation === undefined) return false;
  // Programs of others, and servers that have outlived their launcher.
  if (!portIsFree(port)) {
    reservation.close();
    return false;
  }
  reserved.add(port);
  return true;
}

/**
 * Takes a port that nobody has, this process neither, chosen at random so that launchers side by side seldom meet.
 *
 * @throws Error when none was found within {@link PORT_TRIES_MAX} tries
 */
export function freePort(): number {
  for (let attempt = 0; attempt < PORT_TRIES_MAX; attempt++) {
    const port = FIRST_PORT + Math.floor(Math.random() * TO_RESERVATION);
    if (!reserved.has(port) && takePort(port)) return port;
  }
  throw new Error(
    `No free port on 127.0.0.1 between ${FIRST_PORT} and ${LAST_PORT} in ${PORT_TRIES_MAX} tries: ` +
      "stop what fills that range",
  );
}

/** Takes so many ports, as {@link freePort} does. */
export function freePorts(count: number): number[] {
  return Array.from({ length: count }, freePort);
}

function portIsFree(port: number): boolean {
  const listener = listenOn(port);
  listener?.close();
  return listener !== undefined;
}

/** Undefined where somebody else listens. */
function listenOn(port: number): Deno.Listener | undefined {
  try {
    return Deno.listen({ hostname: "127.0.0.1", port });
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) return undefined;
    throw error;
  }
}
