/**
 * One connection to one host of PostgreSQL, under TLS as the address asks for it; the driver (3.4.9) knows fewer
 * values of `sslmode`, and goes on to TLS with a server that has none. Messages: PostgreSQL manual, 54.2.10.
 *
 *     dialled --disable, or a socket of this machine--> clear
 *     dialled --direct--> handshake
 *     dialled --asked, "S"--> handshake
 *     dialled --asked, "N"--> clear where TLS is only preferred, else refused
 *     handshake --done--> under TLS
 *     handshake --failed--> dialled again, clear, where TLS is only preferred, else refused
 */
import { Buffer } from "node:buffer";
import { isIP, Socket } from "node:net";
import tls from "node:tls";
import { certificateProblem } from "../../base/tls_failure.ts";
import { isThisMachine, type PostgresHost } from "../../config/postgres_address.ts";
import type { PostgresTls, SslMode } from "../../config/postgres_parameters.ts";
import type { Certificates } from "../../config/tls_files.ts";
import { DatabaseUnavailableError, LogInFailedError, NOT_REACHED } from "../errors.ts";

/** How one host is reached. */
export interface SecureOptions {
  readonly host: PostgresHost;
  readonly tls: PostgresTls;
  readonly certificates: Certificates;
  /** Limit of all of it, in ms. */
  readonly timeoutMs: number;
  /** Called with every socket that is opened, at once. */
  readonly opened: (socket: Socket) => void;
}

/** SSLRequest: its length, and its number. */
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);
const TLS_PROTOCOL = "postgresql";
const [YES, NO] = [0x53, 0x4e];

/** How TLS is spoken with this host, where the address may leave it open. */
function sslModeFor(host: PostgresHost, { mode }: PostgresTls): SslMode {
  if ("path" in host.dial) return "disable";
  if (mode === undefined) return isThisMachine(host) ? "disable" : "prefer";
  return mode === "allow" ? "prefer" : mode;
}

/**
 * Opens the connection. Throws DatabaseUnavailableError, whose cause is the socket's error; what was opened is
 * destroyed then.
 */
export async function openSecure(options: SecureOptions): Promise<Socket> {
  const mode = sslModeFor(options.host, options.tls);
  const limit = new AbortController();
  const timer = setTimeout(
    () => limit.abort(new Error(`no connection within ${options.timeoutMs} ms`)),
    options.timeoutMs,
  );
  try {
    if (mode === "disable") return await dial(options, limit.signal);
    try {
      return await dialUnderTls(options, mode, limit.signal);
    } catch (error) {
      if (mode !== "prefer" || !(error instanceof HandshakeError)) throw error;
      return await dial(options, limit.signal);
    }
  } catch (error) {
    if (error instanceof DatabaseUnavailableError) throw error;
    throw new DatabaseUnavailableError(NOT_REACHED, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

/** The TLS handshake failed, or the certificate was not taken. */
class HandshakeError extends LogInFailedError {
  override name = "HandshakeError";
}

async function dial({ host, opened }: SecureOptions, limit: AbortSignal): Promise<Socket> {
  const socket = new Socket();
  opened(socket);
  socket.connect(host.dial as { host: string; port: number });
  await happened(socket, "connect", limit);
  return socket;
}

async function dialUnderTls(options: SecureOptions, mode: SslMode, limit: AbortSignal): Promise<Socket> {
  const socket = await dial(options, limit);
  if (!options.tls.direct) {
    socket.write(SSL_REQUEST);
    const [answer, more] = await happened(socket, "data", limit) as Buffer;
    // What came before the handshake may be anybody's.
    if (more !== undefined || (answer !== YES && answer !== NO)) {
      socket.destroy();
      throw new DatabaseUnavailableError("PostgreSQL answered the question for TLS with what is no answer");
    }
    if (answer === NO) {
      if (mode === "prefer") return socket;
      socket.destroy();
      throw new DatabaseUnavailableError(`PostgreSQL offers no TLS, and sslmode is ${mode}`);
    }
  }
  const { name } = options.host;
  const { trusted, own } = options.certificates;
  const isVerified = mode === "verify-full" || mode === "verify-ca" || trusted !== undefined;
  const secured = tls.connect({
    socket,
    ...(isIP(name) === 0 ? { servername: name } : {}),
    ...(trusted === undefined ? {} : { ca: trusted }),
    ...(own === undefined ? {} : { cert: own.certificate, key: own.key }),
    ...(options.tls.direct ? { ALPNProtocols: [TLS_PROTOCOL] } : {}),
    rejectUnauthorized: isVerified,
    // The certificate is looked at under the host's name, or, for an authority that is trusted as a whole, under any.
    checkServerIdentity: (_, certificate) =>
      mode === "verify-full" ? tls.checkServerIdentity(name, certificate) : undefined,
  });
  options.opened(secured);
  try {
    await happened(secured, "secureConnect", limit);
  } catch (error) {
    socket.destroy();
    if (limit.aborted) throw error;
    const why = certificateProblem(error as Error) ?? (error as Error).message;
    throw new HandshakeError(`PostgreSQL's TLS was not taken: ${why}`, { cause: error });
  }
  return secured;
}

/** What came with the event. Destroys the socket, and throws, where it ends first or the limit is over. */
function happened(socket: Socket, event: string, limit: AbortSignal): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const failed = (error: unknown) => {
    socket.destroy();
    reject(error);
  };
  const closed = () => failed(Object.assign(new Error("the connection was closed"), { code: "ECONNRESET" }));
  const over = () => failed(limit.reason);
  if (limit.aborted) over();
  socket.once(event, resolve);
  socket.on("error", failed);
  socket.once("close", closed);
  limit.addEventListener("abort", over, { once: true });
  return promise.finally(() => {
    socket.removeListener(event, resolve);
    socket.removeListener("close", closed);
    limit.removeEventListener("abort", over);
    // Its listener for errors stays: one may come before the driver listens, and would end the process.
  });
}
