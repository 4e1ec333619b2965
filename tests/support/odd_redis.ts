/**
 * A Redis of a test's own making in front of a real one: all that is said goes through, and then it says something odd.
 */

import { atPort } from "./env.ts";

/** What is said beside the real answers. */
export interface OddRedis extends AsyncDisposable {
  readonly url: string;
  /** Connections so far. */
  readonly opened: number;
  /** Connections that are open now. */
  readonly open: number;
  /**
   * Said on each connection that is open, and after every answer on each of those to come; undefined: nothing more.
   * With `behind` only after answers that contain it.
   */
  say(what: Uint8Array | string | undefined, behind?: string): void;
  /** The same as a stream without an end, `bytes` at most, as fast as it is taken. Resolves with how much was taken. */
  flood(head: string, piece: Uint8Array, bytes: number): Promise<number>;
}

/** In front of the Redis at `url`, on this machine. */
export function oddRedis(url: string): OddRedis {
  const port = Number(new URL(url).port);
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const clients = new Set<Deno.TcpConn>();
  const ends = new Set<Deno.TcpConn>();
  let odd: Uint8Array | undefined;
  let behindText: string | undefined;
  let opened = 0;
  const write = async (to: Deno.TcpConn, data: Uint8Array) => {
    for (let at = 0; at < data.length;) at += await to.write(data.subarray(at));
  };
  const isBehind = (said: Uint8Array) =>
    behindText === undefined || new TextDecoder().decode(said).includes(behindText);
  const pump = async (from: Deno.TcpConn, to: Deno.TcpConn, after?: (said: Uint8Array) => Uint8Array | undefined) => {
    const buffer = new Uint8Array(16_384);
    try {
      for (let size = await from.read(buffer); size !== null; size = await from.read(buffer)) {
        await write(to, buffer.slice(0, size));
        const more = after?.(buffer.subarray(0, size));
        if (more !== undefined) await write(to, more);
      }
    } catch {
      // Reset by one side.
    }
    for (const end of [from, to]) {
      ends.delete(end);
      clients.delete(end);
      try {
        end.close();
      } catch {
        // Closed already.
      }
    }
  };
  const serving = (async () => {
    for await (const client of listener) {
      opened++;
      const server = await Deno.connect({ hostname: "127.0.0.1", port });
      ends.add(server).add(client);
      clients.add(client);
      pump(client, server);
      pump(server, client, (said) => isBehind(said) ? odd : undefined);
    }
  })();
  return {
    url: atPort(url, listener.addr.port),
    get opened() {
      return opened;
    },
    get open() {
      return clients.size;
    },
    say(what, behind) {
      behindText = behind;
      odd = typeof what === "string" ? new TextEncoder().encode(what) : what;
      if (odd === undefined || behind !== undefined) return;
      for (const client of clients) write(client, odd).catch(() => {});
    },
    async flood(head, piece, bytes) {
      let taken = 0;
      await Promise.all([...clients].map(async (client) => {
        try {
          await write(client, new TextEncoder().encode(head));
          for (let sent = 0; sent < bytes; sent += piece.length) {
            await write(client, piece);
            taken += piece.length;
          }
        } catch {
          // It was cut.
        }
      }));
      return taken;
    },
    async [Symbol.asyncDispose]() {
      listener.close();
      for (const end of ends) {
        try {
          end.close();
        } catch {
          // Closed already.
        }
      }
      await serving;
    },
  };
}
