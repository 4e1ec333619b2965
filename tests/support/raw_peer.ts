/**
 * The other end of a TCP connection, byte by byte: sends what it is given, keeps what it gets, and waits for what a
 * test expects. For tests that need more (or less) than an honest client does. Also one honest call, to see that all is
 * well.
 */
import { Buffer } from "node:buffer";
import http2 from "node:http2";
import net from "node:net";
import { FLAG, FRAME, frame, frameReader, opening, type ReceivedFrame } from "./http2_frames.ts";
import { HANG_MS } from "./eventually.ts";

/** One raw connection. */
export class RawPeer {
  /** All bytes received, as Latin-1 text. */
  text = "";
  /** All frames received; empty for HTTP/1. */
  readonly frames: ReceivedFrame[] = [];
  readonly closed: Promise<void>;
  /** The connection was reset: what had come and was not read by then is lost. */
  isReset = false;
  readonly #changed = new Set<() => void>();

  private constructor(readonly socket: net.Socket, http2: boolean, acknowledgesPings: boolean) {
    const read = frameReader();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    socket.setNoDelay(true);
    socket.on("error", ({ code }: NodeJS.ErrnoException) => this.isReset ||= code === "ECONNRESET" || code === "EPIPE");
    socket.on("data", (chunk: Buffer) => {
      this.text += chunk.toString("latin1");
      for (const received of http2 ? read(chunk) : []) {
        this.frames.push(received);
        if (acknowledgesPings && received.type === FRAME.ping && received.flags === 0) {
          socket.write(frame(FRAME.ping, FLAG.ack, 0, received.payload));
        }
      }
      this.#notify();
    });
    socket.on("end", () => socket.end());
    socket.once("close", () => {
      resolve();
      this.#notify();
    });
  }

  /** Connects; speaks nothing yet. */
  static http1(port: number): Promise<RawPeer> {
    return RawPeer.#connect(port, false, false);
  }

  /** Connects, from `address` where that is given, and opens HTTP/2, by default answering PINGs but nothing else. */
  static async http2(
    port: number,
    { start = opening(), acknowledgesPings = true, address = "127.0.0.1" } = {},
  ): Promise<RawPeer> {
    const peer = await RawPeer.#connect(port, true, acknowledgesPings, address);
    peer.send(start);
    return peer;
  }

  static async #connect(
    port: number,
    http2: boolean,
    acknowledgesPings: boolean,
    localAddress = "127.0.0.1",
  ): Promise<RawPeer> {
    const peer = new RawPeer(net.connect({ port, host: "127.0.0.1", localAddress }), http2, acknowledgesPings);
    await new Promise<void>((resolve, reject) => peer.socket.once("connect", resolve).once("error", reject));
    return peer;
  }

  send(bytes: string | Uint8Array): void {
    if (this.socket.writable) this.socket.write(bytes);
  }

  /** Whether such a frame has come. */
  got(type: number, flag = 0, stream?: number): boolean {
    return this.count(type, flag, stream) > 0;
  }

  /** How many such frames have come. */
  count(type: number, flag = 0, stream?: number): number {
    return this.frames.filter((received) =>
      received.type === type && (received.flags & flag) === flag && (stream ?? received.stream) === received.stream
    ).length;
  }

  /** The error codes of all RST_STREAM (last 4 bytes of 4) and GOAWAY (last 4 of the first 8) received. */
  errorCodes(type: typeof FRAME.reset | typeof FRAME.goAway): number[] {
    return this.frames.filter((received) => received.type === type)
      .map((received) => received.payload.readUInt32BE(type === FRAME.goAway ? 4 : 0));
  }

  /**
   * Waits until it is so, looking again whenever something has come or the connection has closed.
   *
   * @throws where it is not so in time, with what has come so far
   */
  async until(isSo: () => boolean, what: string): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const look = () => {
      if (isSo()) resolve(true);
    };
    this.#changed.add(look);
    const atMost = setTimeout(() => resolve(false), HANG_MS);
    look();
    const wasSo = await promise;
    clearTimeout(atMost);
    this.#changed.delete(look);
    const seen = this.frames.map(({ type, stream }) => `${type}@${stream}`).join(" ");
    if (!wasSo) {
      throw new Error(`waited in vain: ${what}; frames: ${seen}; text: ${JSON.stringify(this.text.slice(0, 300))}`);
    }
  }

  /** Waits until the server has closed the connection. */
  async untilClosed(what: string): Promise<void> {
    await this.until(() => this.socket.destroyed, what);
    await this.closed;
  }

  /** Goes away. */
  async leave(): Promise<void> {
    this.socket.destroy();
    await this.closed;
  }

  #notify(): void {
    for (const look of this.#changed) look();
  }
}

/** What an honest HTTP/2 request came to. */
export interface Answer {
  readonly status: number;
  readonly headers: http2.IncomingHttpHeaders;
  readonly trailers: http2.IncomingHttpHeaders;
  readonly body: Buffer;
}

/** One honest HTTP/2 request on a connection of its own. `ca` for a TLS authority. */
export async function http2Request(
  authority: string,
  headers: http2.OutgoingHttpHeaders,
  body: Uint8Array = Buffer.alloc(0),
  ca?: string,
): Promise<Answer> {
  const session = http2.connect(authority, ca === undefined ? {} : { ca });
  const gone = new Promise<void>((resolve) => session.once("close", () => resolve()));
  try {
    return await new Promise<Answer>((resolve, reject) => {
      session.once("error", reject);
      const stream = session.request(headers);
      const chunks: Buffer[] = [];
      let answered: http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader = {};
      let trailers: http2.IncomingHttpHeaders = {};
      stream.once("error", reject);
      stream.once("response", (received) => answered = received);
      stream.once("trailers", (received) => trailers = received);
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.once(
        "end",
        () => resolve({ status: answered[":status"] ?? 0, headers: answered, trailers, body: Buffer.concat(chunks) }),
      );
      stream.end(body);
    });
  } finally {
    session.close();
    await gone;
  }
}

/** One honest gRPC call with an empty message. Answers the `grpc-status`, wherever it came. */
export async function grpcCall(authority: string, path: string, ca?: string): Promise<string | undefined> {
  const headers = { ":method": "POST", ":path": path, "content-type": "application/grpc+proto", te: "trailers" };
  const answer = await http2Request(authority, headers, Buffer.alloc(5), ca);
  const status = answer.trailers["grpc-status"] ?? answer.headers["grpc-status"];
  return Array.isArray(status) ? status[0] : status;
}
