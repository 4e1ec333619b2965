/**
 * Tells HTTP/2 by prior knowledge from HTTP/1 on a cleartext connection, by its first bytes, and leaves those bytes
 * where the protocol's own server will read them. Reads nothing beyond them and knows no time: whoever asks closes
 * connections that never say enough.
 */
import type { Socket } from "node:net";
import { Buffer } from "node:buffer";

/** Start of the HTTP/2 connection preface (RFC 9113, section 3.4); no HTTP/1 method begins like it. */
const HTTP2_PREFACE = Buffer.from("PRI * HTTP/2.0", "latin1");

/** What a connection turned out to speak. */
export type Protocol = "http1" | "http2";

/**
 * Calls back once, as soon as the bytes decide: at the first byte that differs from the preface, or after the last one
 * that does not. Never calls back where the connection ends before.
 */
export function sniffProtocol(socket: Socket, decided: (protocol: Protocol) => void): void {
  let first: Buffer = Buffer.alloc(0);
  socket.on("readable", look);

  function look(): void {
    const chunk: Buffer | null = socket.read();
    if (chunk === null) return;
    first = first.length === 0 ? chunk : Buffer.concat([first, chunk]);
    const length = Math.min(first.length, HTTP2_PREFACE.length);
    const alike = first.subarray(0, length).equals(HTTP2_PREFACE.subarray(0, length));
    if (alike && length < HTTP2_PREFACE.length) return;
    socket.off("readable", look);
    socket.unshift(first);
    decided(alike ? "http2" : "http1");
  }
}
