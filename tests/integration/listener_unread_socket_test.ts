/**
 * Answers that their peer's windows let out, and that it does not read: node:http2 has done with them, and they wait in
 * the socket, where they are unread as before.
 */
import { assert, assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import net from "node:net";
import { Duplex } from "node:stream";
import { connect as connectTls } from "node:tls";
import type { WireHandler } from "../../src/transport/exchange.ts";
import type { ListenerOptions } from "../../src/transport/listener.ts";
import { eventually } from "../support/eventually.ts";
import { call, many } from "../support/http2_calls.ts";
import { ERROR, FRAME, frameReader, type ReceivedFrame, wideOpening } from "../support/http2_frames.ts";
import { CHECK, type Setting, withListener } from "../support/listening.ts";
import { TLS_CERTIFICATE, TLS_KEY_FILE } from "../support/tls_server.ts";

const SOON_MS = 100;
/** Many times what the system takes of a connection that is not read. */
const ANSWER_BYTES = 24 * 1024 * 1024;

const CERTIFICATE = { cert: TLS_CERTIFICATE, key: Deno.readTextFileSync(TLS_KEY_FILE) };

/** Who reads nothing of its connection before `read`. */
class SlowReader {
  readonly frames: ReceivedFrame[] = [];

  private constructor(readonly carrier: net.Socket, readonly socket: net.Socket) {}

  /** Under TLS the handshake is read, and nothing of what comes after it. */
  static async connect(port: number, isTls: boolean): Promise<SlowReader> {
    const carrier = net.connect({ port, host: "127.0.0.1" });
    carrier.on("error", () => {});
    carrier.pause();
    const peer = new SlowReader(carrier, isTls ? await secured(carrier) : carrier);
    peer.send(wideOpening());
    return peer;
  }

  send(bytes: Uint8Array): void {
    this.socket.write(bytes);
  }

  /** From now on reads all that comes. */
  read(): void {
    const read = frameReader();
    this.socket.on("data", (chunk: Buffer) => {
      // The bytes of the answers are of no interest.
      this.frames.push(...read(chunk).filter(({ type }) => type !== FRAME.data));
    });
    this.carrier.resume();
  }

  leave(): void {
    this.socket.destroy();
    this.carrier.destroy();
  }
}

/** TLS over a socket that is read only until the handshake is done: Deno reads ahead of one of its own. */
async function secured(carrier: net.Socket): Promise<net.Socket> {
  const below = new Duplex({
    read() {},
    write: (chunk, _encoding, written) => void carrier.write(chunk, () => written()),
  });
  carrier.on("data", (chunk) => below.push(chunk));
  carrier.resume();
  const socket = connectTls({ socket: below, ca: TLS_CERTIFICATE, servername: "localhost", ALPNProtocols: ["h2"] });
  socket.on("error", () => {});
  await new Promise((resolve, reject) => socket.once("secureConnect", resolve).once("error", reject));
  carrier.pause();
  return socket;
}

/** How often a handler was let answer, and was not. */
interface Answers {
  given: number;
  refused: number;
}

/** With a handler whose every answer is that large. */
async function withLargeAnswers(
  options: Partial<ListenerOptions>,
  run: (setting: Setting, answers: Answers) => Promise<void>,
): Promise<void> {
  const answers: Answers = { given: 0, refused: 0 };
  const handler: WireHandler = {
    http1: () => undefined,
    http2(asked) {
      if (!asked.handOver(ANSWER_BYTES)) return void answers.refused++;
      answers.given++;
      asked.stream.respond({ ":status": 200 });
      asked.stream.end(Buffer.alloc(ANSWER_BYTES));
    },
  };
  await withListener({ handler, ...options }, (setting) => run(setting, answers));
}

for (const tls of [undefined, CERTIFICATE]) {
  const over = tls === undefined ? "in clear" : "over TLS";
  Deno.test(`what waits in the socket of who reads nothing is unread, until it is read or its peer gone, ${over}`, async () => {
    const limits = { sweepMs: 20, unreadPerAddressBytesMax: 2 * ANSWER_BYTES };
    await withLargeAnswers({ tls, limits }, async ({ listener, logged }, answers) => {
      const peers = await Promise.all(many(4, () => SlowReader.connect(listener.port, tls !== undefined)));
      try {
        const [first, second, third, fourth] = peers as [SlowReader, SlowReader, SlowReader, SlowReader];
        first.send(call(CHECK, 1));
        // The stream has closed, and so would count no more.
        await eventually(() => answers.given === 1 && listener.view.requests === 0, "an answer waits for its peer");
        first.send(call(CHECK, 3));
        await eventually(() => answers.refused === 1, "no other waits on the same connection");
        second.send(call(CHECK, 1));
        await eventually(() => answers.given === 2 && listener.view.requests === 0, "another one has a connection");
        third.send(call(CHECK, 1));
        await eventually(() => answers.refused === 2, "no other waits for the same address");
        assertEquals(listener.view.overLimits.unreadAnswerBytesMax, 1);
        assertEquals(listener.view.overLimits.unreadPerAddressBytesMax, 1);

        first.read();
        await eventually(() => resetsOf(first).length > 0, "the first has read its answer");
        assertEquals(resetsOf(first), [[3, ERROR.enhanceYourCalm]]);
        await untilGiven(first, 5, answers);
        second.leave();
        // By now nothing waits but for these two.
        await untilGiven(third, 3, answers);
        await untilGiven(fourth, 1, answers);
        assert(logged.every(({ limit }) => limit !== "responseMs"));
      } finally {
        for (const peer of peers) peer.leave();
      }
    });
  });

  Deno.test(`responseMs: who reads nothing at all is cut, though its streams have closed, ${over}`, async () => {
    const limits = { sweepMs: 20, responseMs: 5 * SOON_MS };
    await withLargeAnswers({ tls, limits }, async ({ listener, logged }, answers) => {
      const peer = await SlowReader.connect(listener.port, tls !== undefined);
      try {
        peer.send(call(CHECK, 1));
        await eventually(() => answers.given === 1 && listener.view.connections === 0, "it is cut");
        assert(logged.some(({ limit }) => limit === "responseMs"));
      } finally {
        peer.leave();
      }
    });
  });
}

Deno.test("unreadAnswerBytesMax: who asks on and on and reads nothing is cut, whatever it is answered", async () => {
  const handler: WireHandler = {
    http1: () => undefined,
    // Beside messages.
    http2({ stream }) {
      stream.respond({ ":status": 200, "x-large": "x".repeat(8_000) });
      stream.end();
    },
  };
  const limits = { sweepMs: 20, unreadAnswerBytesMax: 64 * 1024, concurrentStreamsMax: 1_000 };
  await withListener({ handler, limits }, async ({ listener, handled }) => {
    const peer = await SlowReader.connect(listener.port, false);
    let stream = 1;
    const more = setInterval(() => {
      for (let i = 0; i < 20; i++, stream += 2) peer.send(call(CHECK, stream));
    }, 10);
    try {
      await eventually(() => listener.view.overLimits.unreadAnswerBytesMax === 1, "it is over the limit");
      await eventually(() => listener.view.connections === 0, "it is cut");
      assertEquals(handled(), 0);
    } finally {
      clearInterval(more);
      peer.leave();
    }
  });
});

/** Asks on streams from this one on until it is answered: that others have read, or gone, is known a little later. */
async function untilGiven(peer: SlowReader, stream: number, answers: Answers): Promise<void> {
  const { given } = answers;
  let next = stream;
  await eventually(async () => {
    const { refused } = answers;
    peer.send(call(CHECK, next));
    next += 2;
    await eventually(() => answers.given > given || answers.refused > refused, "an answer");
    return answers.given > given;
  }, "it is let answer");
}

/** Which streams were reset, and why. */
function resetsOf({ frames }: SlowReader): [stream: number, code: number][] {
  return frames.filter(({ type }) => type === FRAME.reset).map((
    { stream, payload },
  ) => [stream, payload.readUInt32BE(0)]);
}
