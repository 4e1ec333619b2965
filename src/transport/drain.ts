/**
 * How connections end when the listener stops: peers are told, requests under way finish, idle connections go, and what
 * takes longer than the grace is cut. Takes no notice of new connections: the port is closed before.
 */
import type { Log } from "../telemetry/log.ts";
import { type Connections, cut } from "./connections.ts";

/** Resolves when every connection is gone, at the latest a little after `graceMs`. */
export async function drainConnections(connections: Connections, graceMs: number, log: Log): Promise<void> {
  for (const connection of connections) {
    if (connection.http2) connection.http2.close();
    else if (connection.exchanges.size === 0) cut(connection);
    else for (const exchange of connection.exchanges) exchange.sayClose();
  }
  const grace = setTimeout(() => {
    log.warn({ connections: connections.size }, "Grace is over, what is left is cut");
    for (const connection of connections) cut(connection);
  }, graceMs);
  await connections.whenNone();
  clearTimeout(grace);
}
