/**
 * Whether a port is ours to share. Sockets that share a port (SO_REUSEPORT) are let in beside any others of the same
 * user that share it, so that a second service on the port would not be refused but silently get a part of the calls.
 */
import net from "node:net";

/**
 * Listens on the port alone, for a moment: nobody else listens there, sharing or not. For port 0 there is nothing to
 * claim, as the system never chooses one that is in use. The limit: two who claim the port within the same
 * millisecond may both find that it is free.
 *
 * @throws the error of the bind (EADDRINUSE, EACCES)
 */
export async function claimPort(host: string, port: number): Promise<void> {
  if (port === 0) return;
  const claim = net.createServer((socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    claim.once("error", reject);
    claim.listen(port, host, resolve);
  });
  await new Promise<void>((resolve, reject) => claim.close((error) => error ? reject(error) : resolve()));
}
