/**
 * How one client of the pool reaches PostgreSQL.
 *
 * Left to itself the driver (3.4.9) dials again at once and without end when a server takes the connection
 * only to close it, as a proxy does in front of a database that is down. Here a client dials once, and asks the same
 * host to cancel what runs there.
 */
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { Buffer } from "node:buffer";
import type { PostgresAddress, PostgresHost } from "../../config/postgres_address.ts";
import { type Certificates, NO_CERTIFICATES } from "../../config/tls_files.ts";
import { BoundLogin } from "./bound_login.ts";
import { DatabaseUnavailableError } from "../errors.ts";
import type { PrimarySearch } from "./primary.ts";
import { ReplyGuard } from "./reply_guard.ts";
import { openSecure } from "./secure.ts";

/** What a dialer needs to know. */
export interface DialerOptions {
  readonly address: PostgresAddress;
  /** Those that the address names; none where absent. */
  readonly certificates?: Certificates | undefined;
  /** Limit of one dial, in ms. */
  readonly connectTimeoutMs: number;
  /** Knows which of several hosts to dial, and whether there is one; where absent, the first. */
  readonly primary?: PrimarySearch | undefined;
}

/** The dials of one client. */
export class Dialer {
  /** Set once PostgreSQL has taken a connection of this client. */
  admitted = false;
  /** Set while there is a transaction block: a statement of it must never run on another connection, outside of it. */
  sealed = false;
  readonly #options: DialerOptions;
  /** Place of the host that was dialled. */
  #index: number | undefined;
  #dialled = false;
  #peerCertificate: Buffer | undefined;
  #destroyed = false;
  /** Those that are open: the connection, and any that asks to cancel what runs on it. */
  readonly #sockets = new Set<Socket>();

  constructor(options: DialerOptions) {
    this.#options = options;
  }

  /** For the driver's constructor, whose types don't know this documented option. TLS is spoken here, and not by it. */
  get options(): Record<string, unknown> {
    return { socket: () => this.#dial(), ssl: false };
  }

  /** The server's certificate as DER, of the connection that was opened last; undefined: it is not under TLS. */
  get peerCertificate(): Buffer | undefined {
    return this.#peerCertificate;
  }

  /** False: the host that was dialled is not the one that takes writes now. */
  get isAtPrimary(): boolean {
    const { primary } = this.#options;
    return this.#index === undefined || primary === undefined || primary.isKnown(this.#index);
  }

  /** The connection ended; the host may be another one than it was. */
  doubtHost(): void {
    if (this.#index !== undefined) this.#options.primary?.doubt(this.#index);
  }

  /** What was dialled can't be worked with; another host may take the writes now. */
  forgetHost(): void {
    if (this.#index !== undefined) this.#options.primary?.forget(this.#index);
  }

  /**
   * Closes what is open at once, whatever the other side does: the driver only says goodbye and waits for an answer.
   */
  destroy(): void {
    this.#destroyed = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  async #dial(): Promise<Socket> {
    if (this.sealed && this.admitted) {
      throw new DatabaseUnavailableError("the connection of a transaction block was lost");
    }
    if (!this.admitted && this.#dialled) {
      throw new DatabaseUnavailableError("PostgreSQL closed the connection before it was ready");
    }
    this.#dialled = true;
    const { address, certificates = NO_CERTIFICATES, connectTimeoutMs, primary } = this.#options;
    const index = await primary?.find() ?? 0;
    // The driver dials again for a statement that met a closed connection, and to cancel one.
    if (this.#index !== undefined && this.#index !== index) {
      throw new DatabaseUnavailableError("another host takes the writes now");
    }
    this.#index = index;
    const host = address.hosts[index] as PostgresHost;
    const socket = await openSecure({
      host,
      tls: address.tls,
      certificates,
      timeoutMs: connectTimeoutMs,
      opened: (socket) => this.#keep(socket),
    });
    this.#peerCertificate = "encrypted" in socket
      ? Buffer.from((socket as TLSSocket).getPeerCertificate().raw)
      : undefined;
    guardReplies(socket, this.#peerCertificate !== undefined, this.#boundLogin(socket));
    // The driver's own errors name this place.
    Object.assign(socket, { host: host.name, port: host.port });
    return socket;
  }

  /** Where the log-in must be bound to the certificate. What asks to cancel does not log in. */
  #boundLogin(socket: Socket): BoundLogin | undefined {
    const { channelBinding, password = "" } = this.#options.address;
    if (channelBinding !== "require") return undefined;
    const certificate = this.#peerCertificate;
    if (certificate !== undefined) {
      return new BoundLogin({
        certificate,
        password,
        send: (bytes) => socket.write(bytes),
      });
    }
    socket.destroy();
    throw new DatabaseUnavailableError("there is no TLS to bind the log-in to, and channel_binding is require");
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    if (this.#destroyed) socket.destroy();
  }
}

/**
 * Nothing reaches the driver that the guard does not take: the connection ends instead, with its error.
 *
 * At `emit`, because the driver's listeners come and go, and a chunk that its listener has got is handled.
 */
function guardReplies(socket: Socket, isUnderTls: boolean, login: BoundLogin | undefined): void {
  const guard = new ReplyGuard(isUnderTls);
  const emit = socket.emit.bind(socket);
  let broken = false;
  socket.emit = (event: string | symbol, ...parts: unknown[]): boolean => {
    if (event !== "data") return emit(event, ...parts);
    if (broken) return true;
    let bytes = parts[0] as Buffer;
    try {
      guard.take(bytes);
      if (login !== undefined) bytes = login.take(bytes);
    } catch (error) {
      broken = true;
      socket.destroy(error as Error);
      return true;
    }
    return bytes.length === 0 || emit(event, bytes);
  };
}
