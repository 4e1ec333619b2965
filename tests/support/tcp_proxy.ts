/**
 * A TCP proxy between a client and a server of ours, to be slow or deaf at the moment that a test needs. Every
 * connection counts, from 0, in the order in which it was opened.
 */
import { setTimeout as delay } from "node:timers/promises";
import { freePort } from "../../tools/stack/ports.ts";
import { closeQuietly, writeAll } from "./tcp_ends.ts";

/** How the proxy treats what goes through it; both may be changed while it runs. */
export interface ProxyBehaviour {
  /** Every piece of data is handed on only so much later. Default: at once. */
  delayMs?: number;
  /** Waited for before a connection is passed on to the server. Default: nothing. */
  admit?: (connection: number) => Promise<void>;
  /** Said to the client in front of what the server says next. Default: nothing. */
  beforeAnswer?: () => Uint8Array | undefined;
}

/** A running proxy. `await using` closes it and all its connections. */
export interface TcpProxy extends AsyncDisposable {
  readonly port: number;
  readonly behaviour: ProxyBehaviour;
  /** Connections opened so far. */
  readonly opened: number;
  /** Resolves when both sides of the connection have been closed. */
  closed(connection: number): Promise<void>;
  /** Lets no new connection in any more; those that are open go on. */
  refuse(): void;
  /** Closes all that are open, and lets new ones in. */
  cut(): void;
}

/** Starts a proxy on a free port of `hostname` that leads to `targetPort` of 127.0.0.1. */
export function startProxy(targetPort: number, behaviour: ProxyBehaviour = {}, hostname = "127.0.0.1"): TcpProxy {
  // Nobody else's either once it refuses.
  const listener = Deno.listen({ hostname, port: freePort() });
  const ends = new Set<Deno.TcpConn>();
  const passing: Promise<void>[] = [];
  let listening = true;
  const refuse = () => {
    if (listening) listener.close();
    listening = false;
  };

  const pass = async (client: Deno.TcpConn, connection: number) => {
    ends.add(client);
    await behaviour.admit?.(connection);
    const server = await Deno.connect({ hostname: "127.0.0.1", port: targetPort });
    ends.add(server);
    await Promise.all([
      pump(client, server, behaviour),
      pump(server, client, behaviour, () => behaviour.beforeAnswer?.()),
    ]);
  };
  const serving = (async () => {
    for await (const client of listener) passing.push(pass(client, passing.length).catch(() => closeQuietly(client)));
  })();
  return {
    port: listener.addr.port,
    behaviour,
    get opened() {
      return passing.length;
    },
    closed: async (connection) => await passing[connection],
    refuse,
    cut() {
      for (const end of ends) closeQuietly(end);
      ends.clear();
    },
    async [Symbol.asyncDispose]() {
      refuse();
      for (const end of ends) closeQuietly(end);
      await serving;
    },
  };
}

/** Hands on what `from` says, in order; the end of one side ends the other after the same delay. */
async function pump(
  from: Deno.TcpConn,
  to: Deno.TcpConn,
  behaviour: ProxyBehaviour,
  before: () => Uint8Array | undefined = () => undefined,
): Promise<void> {
  const buffer = new Uint8Array(16_384);
  let last: Promise<unknown> = Promise.resolve();
  const later = (act: () => unknown) => {
    const delayMs = behaviour.delayMs ?? 0;
    const waited = delayMs === 0 ? undefined : delay(delayMs);
    last = Promise.all([last, waited]).then(act).catch(() => {});
  };
  try {
    for (let size = await from.read(buffer); size !== null; size = await from.read(buffer)) {
      const data = buffer.slice(0, size);
      const extra = before();
      if (extra !== undefined) later(() => writeAll(to, extra));
      later(() => writeAll(to, data));
    }
  } catch {
    // Reset by one side: the other learns it below.
  }
  later(() => closeQuietly(to));
  await last;
}
