/**
 * How one client of the pool reaches PostgreSQL.
 *
 * Left to itself the driver (3.4.9) dials again at once and without end when a server takes the connection
 * only to close it, as a proxy does in front of a database that is down. Here a client that was never let in
 * dials each of its hosts once, and one in the middle of a transaction block not at all.
 */
import { Socket } from "node:net";
import { DatabaseUnavailableError } from "./errors.ts";

/** What the driver knows of where to go, as it hands it to its `socket` option. */
interface Address {
  readonly host: readonly string[];
  readonly port: readonly number[];
  readonly path: string | false;
}

/** The dials of one client. */
export class Dialer {
  /** Set once PostgreSQL has taken a connection of this client. */
  admitted = false;
  /** Set while there is a transaction block: a statement of it must never run on another connection, outside of it. */
  sealed = false;
  #dials = 0;

  /** For the driver's constructor, whose types don't know this documented option. */
  get options(): Record<string, unknown> {
    return { socket: (address: Address) => this.#dial(address) };
  }

  #dial({ host, port, path }: Address): Socket {
    if (this.sealed && this.admitted) {
      throw new DatabaseUnavailableError("the connection of a transaction block was lost");
    }
    if (!this.admitted && this.#dials >= host.length) {
      throw new DatabaseUnavailableError("PostgreSQL closed the connection before it was ready");
    }
    const index = this.#dials++ % host.length;
    const socket = new Socket();
    // The driver checks a certificate against this name.
    Object.assign(socket, { host: host[index], port: port[index] });
    return path ? socket.connect(path) : socket.connect(port[index] as number, host[index] as string);
  }
}
