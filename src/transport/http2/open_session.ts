/** Which HTTP/2 sessions can be asked for something. */
import type { ServerHttp2Session } from "node:http2";

/**
 * Whether there is a session, and it is open. One that its peer has ended with an error was destroyed and never closed:
 * it throws at a PING, and closes no more. Its socket stays as long as the peer does not read what waits there.
 */
export function isOpen(session: ServerHttp2Session | undefined): session is ServerHttp2Session {
  return session !== undefined && !session.closed && !session.destroyed;
}
