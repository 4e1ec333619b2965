/**
 * How one client of the pool reaches PostgreSQL.
 *
 * Left to itself the driver (3.4.9) dials again at once and without end when a server takes the connection
 * only to close it, as a proxy does in front of a database that is down. Here a client that was never let in
 * dials each of its hosts once, and one in the middle of a transaction block not at all.
 */
import { Socket } from "node:net";
import type { Buffer } from "node:buffer";
import { DatabaseUnavailableError } from "./errors.ts";
import { ReplyGuard } from "./reply_guard.ts";

/** What the driver knows of where to go, as it hands it to its `socket` option. */
interface Address {
  readonly host: readonly string[];
  readonly port: readonly number[];
  readonly path: string | false;
  readonly ssl: unknown;
}

/** PostgreSQL's answer to the question for TLS: it goes on under TLS. */
const UNDER_TLS = 0x53;

/** The dials of one client. */
export class Dialer {
  /** Set once PostgreSQL has taken a connection of this client. */
  admitted = false;
  /** Set while there is a transaction block: a statement of it must never run on another connection, outside of it. */
  sealed = false;
  #dials = 0;
  /** Those that are open: the connection, and any that asks to cancel what runs on it. */
  readonly #sockets = new Set<Socket>();

  /** For the driver's constructor, whose types don't know this documented option. */
  get options(): Record<string, unknown> {
    return { socket: (address: Address) => this.#dial(address) };
  }

  /** Closes what is open at once, whatever the other side does: the driver only says goodbye and waits for an answer. */
  destroy(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #dial({ host, port, path, ssl }: Address): Socket {
    if (this.sealed && this.admitted) {
      throw new DatabaseUnavailableError("the connection of a transaction block was lost");
    }
    if (!this.admitted && this.#dials >= host.length) {
      throw new DatabaseUnavailableError("PostgreSQL closed the connection before it was ready");
    }
    const index = this.#dials++ % host.length;
    const socket = new Socket();
    this.#sockets.add(socket);
    guardReplies(socket, Boolean(ssl), () => this.#sockets.delete(socket));
    // The driver checks a certificate against this name.
    Object.assign(socket, { host: host[index], port: port[index] });
    return path ? socket.connect(path) : socket.connect(port[index] as number, host[index] as string);
  }
}

/**
 * Nothing reaches the driver that the guard does not take: the connection ends instead, with its error.
 *
 * At `emit`, because the driver's listeners come and go, and a chunk that its listener has got is handled.
 */
function guardReplies(socket: Socket, asksForTls: boolean, onClose: () => void): void {
  const guard = new ReplyGuard();
  const emit = socket.emit.bind(socket);
  let state: "asking" | "clear" | "tls" | "broken" = asksForTls ? "asking" : "clear";
  const take = (bytes: Buffer) => {
    if (state === "asking") {
      state = bytes[0] === UNDER_TLS ? "tls" : "clear";
      bytes = bytes.subarray(1);
    }
    if (state === "clear") guard.take(bytes);
  };
  socket.emit = (event: string | symbol, ...parts: unknown[]): boolean => {
    if (event === "close") onClose();
    if (event !== "data") return emit(event, ...parts);
    if (state === "broken") return true;
    try {
      take(parts[0] as Buffer);
    } catch (error) {
      state = "broken";
      socket.destroy(error as Error);
      return true;
    }
    return emit(event, ...parts);
  };
}
