/**
 * A link to PostgreSQL that passes on so many messages of its client and then nothing more, in either direction, while
 * both of its ends stay open: as a process that vanished without FIN or RST looks to the server.
 */
import { closeQuietly, writeAll } from "./tcp_ends.ts";

/** The link of one connection after the other. `await using` closes everything. */
export interface SilentLink extends AsyncDisposable {
  readonly port: number;
  /** Messages of the client that were passed on behind its log-in, or behind the last `silenceAfter`. */
  readonly passed: number;
  /** From now on `messages` more of them go through, and then nothing more. */
  silenceAfter(messages: number): void;
}

/** Startup: length and protocol. All other messages begin with their type. PostgreSQL manual, section 55.7. */
const LENGTH_BYTES = 4;
/** PasswordMessage and the SASL ones: part of the log-in. */
const PASSWORD = 0x70;

/** Starts one that leads to `targetPort` on 127.0.0.1, and lets everything through at first. */
export function startSilentLink(targetPort: number): SilentLink {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const ends: Deno.TcpConn[] = [];
  let left = Infinity;
  let passed = 0;

  const up = async (client: Deno.TcpConn, server: Deno.TcpConn) => {
    const messages = messagesOf(client);
    for await (const message of messages) {
      if (left <= 0) continue;
      if (message[0] !== 0 && message[0] !== PASSWORD) {
        left--;
        passed++;
      }
      await writeAll(server, message);
    }
  };
  const down = async (server: Deno.TcpConn, client: Deno.TcpConn) => {
    const buffer = new Uint8Array(16_384);
    for (let size = await server.read(buffer); size !== null; size = await server.read(buffer)) {
      if (left > 0) await writeAll(client, buffer.subarray(0, size));
    }
  };
  const serving = (async () => {
    for await (const client of listener) {
      const server = await Deno.connect({ hostname: "127.0.0.1", port: targetPort });
      ends.push(client, server);
      // Ends of one side are not passed on: the other hears nothing at all.
      up(client, server).catch(() => {});
      down(server, client).catch(() => {});
    }
  })();
  return {
    port: listener.addr.port,
    get passed() {
      return passed;
    },
    silenceAfter(messages) {
      left = messages;
      passed = 0;
    },
    async [Symbol.asyncDispose]() {
      listener.close();
      for (const end of ends) closeQuietly(end);
      await serving;
    },
  };
}

/** Each message of a client by itself, the startup message first; its first byte is 0, part of its length. */
async function* messagesOf(client: Deno.TcpConn): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(16_384);
  let pending = new Uint8Array();
  let typeBytes = 0;
  for (let size = await client.read(buffer); size !== null; size = await client.read(buffer)) {
    pending = concat(pending, buffer.subarray(0, size));
    while (pending.length >= typeBytes + LENGTH_BYTES) {
      const length = typeBytes + new DataView(pending.buffer, pending.byteOffset).getInt32(typeBytes);
      if (pending.length < length) break;
      yield pending.slice(0, length);
      pending = pending.slice(length);
      typeBytes = 1;
    }
  }
}

function concat(one: Uint8Array, other: Uint8Array): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(one.length + other.length);
  all.set(one);
  all.set(other, one.length);
  return all;
}
