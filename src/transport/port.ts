/**
 * A TCP port, cleartext or TLS: it is bound, may be bound anew under the same number, and changes its certificate while
 * it listens. Knows neither limits nor what connections speak.
 */
import net from "node:net";
import tls from "node:tls";
import type { Log } from "../telemetry/log.ts";

/** Certificate chain and private key as PEM text. */
export interface CertificatePair {
  readonly cert: string;
  readonly key: string;
  /** Clients are asked for certificates that these have signed, and may come without one. Absent: they are not. */
  readonly clientCa?: string | undefined;
}

/** How to bind, and who gets the connections. */
export interface PortOptions {
  /** Name or address to bind to. */
  readonly host: string;
  /** True: processes of the same user that say so too share the port (SO_REUSEPORT); the system spreads connections. */
  readonly reusePort?: boolean | undefined;
  /** Cleartext where absent. */
  readonly tls?: CertificatePair | undefined;
  /** Time for a TLS handshake, in ms. */
  readonly handshakeMs: number;
  /** Gets each connection as it is accepted, before its TLS handshake. */
  readonly accept: (socket: net.Socket) => void;
  /** Gets each connection whose TLS handshake is done. */
  readonly secured: (socket: tls.TLSSocket) => void;
  readonly log: Log;
}

/** A port that is being listened on. */
export class Port {
  #server: net.Server;
  #certificate: CertificatePair | undefined;

  private constructor(private readonly options: PortOptions, server: net.Server) {
    this.#server = server;
    this.#certificate = options.tls;
  }

  /**
   * Binds to the number; 0 takes any free one.
   *
   * @throws the error of the bind (EADDRINUSE, EACCES) or of an unusable certificate
   */
  static async open(number: number, options: PortOptions): Promise<Port> {
    return new Port(options, await bind(number, options, options.tls));
  }

  /** The number that was really bound. */
  get number(): number {
    return (this.#server.address() as net.AddressInfo).port;
  }

  /** From now on handshakes are made with this certificate. Only where TLS is spoken. */
  useCertificate(pair: CertificatePair): void {
    this.#certificate = pair;
    (this.#server as tls.Server).setSecureContext(contextOf(pair));
  }

  /** Binds to `number` again, in place of a server that accepts nobody any more. @throws as {@link open} */
  async openAnew(number: number): Promise<void> {
    this.close();
    this.#server = await bind(number, this.options, this.#certificate);
    // It may have been renewed meanwhile.
    if (this.#certificate) (this.#server as tls.Server).setSecureContext(contextOf(this.#certificate));
  }

  /** Accepts nobody any more. Connections that are there stay. */
  close(): void {
    this.#server.close();
  }
}

function contextOf({ cert, key, clientCa }: CertificatePair): tls.SecureContextOptions {
  return { cert, key, ...(clientCa === undefined ? {} : { ca: clientCa }) };
}

async function bind(number: number, options: PortOptions, pair: CertificatePair | undefined): Promise<net.Server> {
  const { host, reusePort, handshakeMs, accept, secured, log } = options;
  const server = pair
    ? tls.createServer({
      ...contextOf(pair),
      // Not refused here, as whoever has a key or a token needs no certificate; whoever looks at calls looks at these.
      ...(pair.clientCa === undefined ? {} : { requestCert: true, rejectUnauthorized: false }),
      ALPNProtocols: ["h2", "http/1.1"],
      handshakeTimeout: handshakeMs,
    })
    : net.createServer();
  server.on("connection", accept);
  if (pair) {
    server.on("secureConnection", (socket) => {
      pauseBelow(socket);
      secured(socket);
    });
    server.on("tlsClientError", (error: Error, socket: net.Socket) => {
      log.debug({ error }, "TLS handshake failed");
      socket.destroy();
    });
  }
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ port: number, host, reusePort: reusePort === true }, resolve);
  });
  server.on("error", (error: Error) => log.error({ error }, "Accepting connections failed"));
  return server;
}

/** What node:net reads a socket by. That of a TLS socket has the one of the TCP socket below. */
interface Handle {
  readStart(): number;
  readStop(): number;
  /** Absent or null where nothing is below, or it has closed. */
  readonly _nativeTcpHandle?: Handle | null;
}

/**
 * Has the TCP socket below a TLS socket read only while that one is read. Deno 2.9.3 reads on below one that is paused,
 * and keeps what it decrypts in memory without a bound: `TLSWrap.readStop` leaves the TCP handle be.
 */
function pauseBelow(socket: tls.TLSSocket): void {
  const { _handle: handle } = socket as tls.TLSSocket & { _handle?: Handle | null };
  if (!handle) return;
  const { readStart, readStop } = handle;
  // First below: above, what was kept is handed on at once, and may be too much again.
  handle.readStart = () => {
    handle._nativeTcpHandle?.readStart();
    return readStart.call(handle);
  };
  handle.readStop = () => {
    handle._nativeTcpHandle?.readStop();
    return readStop.call(handle);
  };
}
