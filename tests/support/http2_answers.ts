/**
 * One HTTP/2 request, sent as it is asked to be, and all that came back: status, header, bytes, trailers and the code
 * of the reset. Two answers can be compared as they are.
 */
import { Buffer } from "node:buffer";
import http2 from "node:http2";
import { HANG_MS } from "./eventually.ts";

/** What to send. */
export interface RawRequest {
  /** Over the usual header of a gRPC call; `undefined` takes a field away. */
  readonly headers?: Readonly<Record<string, string | string[] | undefined>>;
  /** The body, each part in a DATA frame of its own. */
  readonly body?: readonly Uint8Array[];
  /**
   * After the body: end the request, leave it open until the answer has ended, or end it and then reset it with this
   * code.
   */
  readonly then?: "end" | "wait" | number;
}

/** What came back. Header and trailers as sorted `name: value`, the date without its value. */
export interface RawAnswer {
  readonly status: number | undefined;
  readonly header: readonly string[];
  readonly body: string;
  readonly trailer: readonly string[];
  readonly rstCode: number | undefined;
}

/**
 * Sends one request on a connection of its own.
 *
 * @param reset before it the one is waited for, and after it, before the connection ends, the other
 * @throws Error when no end comes in time
 */
export async function ask(
  url: string,
  path: string,
  { headers = {}, body = [], then = "end" }: RawRequest,
  reset?: { readonly before: Promise<unknown>; readonly after: Promise<unknown> },
): Promise<RawAnswer> {
  const session = http2.connect(url);
  session.on("error", () => {});
  const usual = { ":method": "POST", ":path": path, "content-type": "application/grpc+proto", te: "trailers" };
  const all = Object.entries({ ...usual, ...headers }).filter(([, value]) => value !== undefined);
  const stream = session.request(Object.fromEntries(all) as http2.OutgoingHttpHeaders, { endStream: false });
  let answered: http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader = {};
  let trailers: http2.IncomingHttpHeaders = {};
  const chunks: Buffer[] = [];
  const { promise: closed, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(() => reject(new Error(`no end of the answer of ${path}`)), HANG_MS);
  stream.on("error", () => {});
  stream.on("response", (received) => answered = received);
  stream.on("trailers", (received: http2.IncomingHttpHeaders) => trailers = received);
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  stream.once("end", () => stream.end());
  stream.once("close", () => resolve());
  try {
    for (const part of body) await sent(stream, part);
    if (then === "end") stream.end();
    else if (then !== "wait") {
      stream.end();
      await reset?.before;
      stream.close(then);
    }
    await closed;
    await reset?.after;
    return {
      status: answered[":status"],
      header: fields(answered),
      body: Buffer.concat(chunks).toString("latin1"),
      trailer: fields(trailers),
      rstCode: stream.rstCode,
    };
  } finally {
    clearTimeout(timer);
    session.destroy();
  }
}

/** The fields that say how it ended: the trailers, or the header of an error that is all of the answer. */
export function endOf({ header, trailer }: RawAnswer): readonly string[] {
  return trailer.length > 0 ? trailer : header;
}

async function sent(stream: http2.ClientHttp2Stream, part: Uint8Array): Promise<void> {
  if (stream.destroyed || stream.writableEnded) return;
  await new Promise<void>((resolve) => {
    stream.once("close", resolve);
    stream.write(part, () => resolve());
  });
  await new Promise((resolve) => setImmediate(resolve));
}

function fields(headers: http2.IncomingHttpHeaders): string[] {
  return Object.entries(headers).filter(([name]) => name !== ":status")
    .flatMap(([name, value]) => [value].flat().map((one) => name === "date" ? name : `${name}: ${one}`)).sort();
}
