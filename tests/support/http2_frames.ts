/**
 * HTTP/2 frames as bytes (RFC 9113, section 4 and 6; HPACK literals after RFC 7541, section 6.2.2), right ones and
 * wrong ones alike: nothing here checks what it writes. Knows no socket.
 */
import { Buffer } from "node:buffer";

/** The connection preface (RFC 9113, section 3.4). */
export const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");

/** Frame types (RFC 9113, section 6). */
export const FRAME = {
  data: 0x0,
  headers: 0x1,
  priority: 0x2,
  reset: 0x3,
  settings: 0x4,
  pushPromise: 0x5,
  ping: 0x6,
  goAway: 0x7,
  windowUpdate: 0x8,
  continuation: 0x9,
} as const;

/** Frame flags; END_STREAM has the bit that is ACK in SETTINGS and PING. */
export const FLAG = { none: 0, endStream: 0x1, ack: 0x1, endHeaders: 0x4 } as const;

/** Error codes (RFC 9113, section 7). */
export const ERROR = { none: 0x0, protocol: 0x1, refusedStream: 0x7, cancel: 0x8, enhanceYourCalm: 0xb } as const;

/** One frame. The length is the payload's, whatever the receiver's limit. */
export function frame(type: number, flags: number, stream: number, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  const header = Buffer.alloc(9);
  header.writeUIntBE(payload.length, 0, 3);
  header[3] = type;
  header[4] = flags;
  header.writeUInt32BE(stream, 5);
  return Buffer.concat([header, payload]);
}

/** The largest window. */
const WINDOW_BYTES_MAX = 0x7fffffff;
/** What a connection's window is at first (RFC 9113, section 6.9.2). */
const WINDOW_BYTES = 0xffff;

/** Preface and empty SETTINGS: what a client sends first. */
export function opening(): Buffer {
  return Buffer.concat([PREFACE, frame(FRAME.settings, FLAG.none, 0)]);
}

/** What a client sends first whose windows let out whatever its answers are. */
export function wideOpening(): Buffer {
  return Buffer.concat([
    PREFACE,
    frame(FRAME.settings, FLAG.none, 0, Buffer.concat([Buffer.of(0, 4), uint32(WINDOW_BYTES_MAX)])),
    frame(FRAME.windowUpdate, FLAG.none, 0, uint32(WINDOW_BYTES_MAX - WINDOW_BYTES)),
  ]);
}

/** A header block of literal fields, no index, no Huffman code. */
export function headerBlock(fields: readonly (readonly [name: string, value: string])[]): Buffer {
  return Buffer.concat(fields.flatMap(([name, value]) => [Buffer.of(0), text(name), text(value)]));
}

/** The header block of a gRPC call (the gRPC protocol over HTTP/2, "Requests"), with more fields after it. */
export function callHeaders(path: string, more: readonly (readonly [string, string])[] = []): Buffer {
  return headerBlock([
    [":method", "POST"],
    [":scheme", "http"],
    [":path", path],
    [":authority", "127.0.0.1"],
    ["content-type", "application/grpc+proto"],
    ["te", "trailers"],
    ...more,
  ]);
}

/** A big-endian 32-bit number: the payload of RST_STREAM and WINDOW_UPDATE. */
export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** One frame as received. */
export interface ReceivedFrame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

/** Cuts received bytes into frames: give it chunks, get the frames that are complete. */
export function frameReader(): (chunk: Uint8Array) => ReceivedFrame[] {
  let rest: Buffer = Buffer.alloc(0);
  return function read(chunk) {
    rest = Buffer.concat([rest, chunk]);
    const frames: ReceivedFrame[] = [];
    while (rest.length >= 9) {
      const length = rest.readUIntBE(0, 3);
      if (rest.length < 9 + length) break;
      const stream = rest.readUInt32BE(5) & 0x7fffffff;
      frames.push({ type: rest[3]!, flags: rest[4]!, stream, payload: rest.subarray(9, 9 + length) });
      rest = rest.subarray(9 + length);
    }
    return frames;
  };
}

/** A string as HPACK writes it: its length as an integer with a prefix of 7 bits (RFC 7541, section 5), its bytes. */
function text(value: string): Buffer {
  const bytes = Buffer.from(value, "latin1");
  if (bytes.length < 127) return Buffer.concat([Buffer.of(bytes.length), bytes]);
  const length = [127];
  let left = bytes.length - 127;
  for (; left >= 128; left = Math.floor(left / 128)) length.push(left % 128 + 128);
  length.push(left);
  return Buffer.concat([Buffer.from(length), bytes]);
}
