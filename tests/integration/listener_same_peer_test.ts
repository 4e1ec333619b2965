/**
 * A TLS connection is found again by its peer's address and port when its handshake is done, and a peer may have come
 * from the same port again by then.
 */
import { assert } from "@std/assert";
import { Buffer } from "node:buffer";
import net from "node:net";
import tls from "node:tls";
import { CHECK, JSON_CALL, withListener } from "../support/listening.ts";
import { grpcCall } from "../support/raw_peer.ts";

const CERTIFICATE = Deno.readTextFileSync(new URL("../support/tls/certificate.pem", import.meta.url));
const KEY = Deno.readTextFileSync(new URL("../support/tls/key.pem", import.meta.url));

Deno.test("a handshake that ends when a newer connection from its port is served is cut, and harms nobody else", async () => {
  await withListener({ tls: { cert: CERTIFICATE, key: KEY } }, async ({ listener: { port, url } }) => {
    await withOneRemotePort(async () => {
      const older = net.connect({ host: "127.0.0.1", port });
      await new Promise<void>((resolve) => older.once("connect", () => resolve()));
      const newer = tls.connect({ host: "127.0.0.1", port, ca: CERTIFICATE });
      await answered(newer);
      await closed(tls.connect({ socket: older, host: "127.0.0.1", ca: CERTIFICATE }));
      await answered(newer);
      newer.destroy();
      await closed(newer);
    });
    assert(await grpcCall(url, CHECK, CERTIFICATE) === "0");
  });
});

/** All sockets have one remote port meanwhile. It is looked up by a method of Deno's node:net, as it is of Node's. */
async function withOneRemotePort(run: () => Promise<void>): Promise<void> {
  const sockets = net.Socket.prototype as unknown as { _getpeername(): object };
  const own = sockets._getpeername;
  sockets._getpeername = function () {
    return { ...own.call(this), port: 1 };
  };
  try {
    await run();
  } finally {
    sockets._getpeername = own;
  }
}

/** Sends a call, and reads its answer. */
async function answered(socket: tls.TLSSocket): Promise<void> {
  let text = "";
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const read = (chunk: Buffer) => (text += chunk).includes("SERVING") && resolve();
  const fail = () => reject(new Error(`closed before the answer: ${text}`));
  socket.on("data", read).once("close", fail);
  socket.write(JSON_CALL);
  await promise.finally(() => socket.off("data", read).off("close", fail));
}

function closed(socket: tls.TLSSocket): Promise<void> {
  if (socket.destroyed) return Promise.resolve();
  return new Promise((resolve) => socket.on("error", () => {}).resume().once("close", () => resolve()));
}
