/**
 * A handshake of this program with itself, in memory and without any permission: the last word on whether a certificate
 * and its key can serve one. It finds what no look at the files does, such as kinds of keys that no client takes.
 */
import { duplexPair } from "node:stream";
import tls from "node:tls";
import type { KeyPair } from "./key_pair.ts";

/** Far more than a handshake takes, in ms. */
const HANDSHAKE_MS_MAX = 5_000;

/** Resolves with undefined when a client and a server with this pair come to terms, else with the reason as a code. */
export async function trialHandshake(pair: KeyPair): Promise<string | undefined> {
  const [near, far] = duplexPair();
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  const fail = (error: Error & { code?: string }) => resolve(error.code ?? error.name);
  const limit = setTimeout(() => resolve("ETIMEDOUT"), HANDSHAKE_MS_MAX);
  for (const end of [near, far]) end.on("error", fail);
  try {
    const server = tls.createServer({ ...pair }, (socket) => socket.on("error", fail));
    server.on("tlsClientError", fail);
    server.emit("connection", near);
    // Who signed it is the caller's matter: this one looks only whether there is a handshake at all.
    const client = tls.connect({ socket: far as unknown as tls.TLSSocket, rejectUnauthorized: false });
    client.once("secureConnect", () => resolve(undefined));
    client.on("error", fail);
    return await promise;
  } catch (error) {
    return (error as { code?: string }).code ?? "unusable";
  } finally {
    clearTimeout(limit);
    near.destroy();
    far.destroy();
  }
}
