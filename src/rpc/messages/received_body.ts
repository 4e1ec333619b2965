/**
 * The body of a request as Connect's handlers get it: message by message, each received within the budget, unpacked,
 * and checked before it is handed on. What is wrong with it is thrown, so that the handler says it in the words of its
 * protocol.
 *
 * A message is handed on in one chunk. Connect looks at all chunks of an unfinished message again for each that comes,
 * so that a message in chunks of one byte would cost the square of its length: 40,000 of them were measured to take 2.6
 * s.
 */
import type { ConnectError, ContextValues } from "@connectrpc/connect";
import { Buffer } from "node:buffer";
import { EarlyEnd } from "../../base/early_end.ts";
import { atOnce, keptBytes, setParts } from "./batch_parts.ts";
import { COMPRESSED, Cutter, enveloped } from "./envelopes.ts";
import { callerAddress } from "../../transport/addresses.ts";
import { timeoutMs } from "../deadline.ts";
import { budgetSpent, deadlinePassed, extraMessage, protocolError } from "../errors.ts";
import { unpack } from "./gzip.ts";
import type { MessageBudget } from "./budget.ts";
import type { Checked, Encoding, MessageCheck } from "./check.ts";
import type { Reader, Turns } from "./turns.ts";

/** What all calls of a process receive with. */
export interface Receiving {
  readonly budget: MessageBudget;
  readonly turns: Turns;
}

/** A request whose body is received as it is read. */
export interface ReceivedRequest {
  /** For Connect's handler: without the encoding, where the messages are handed on unpacked. */
  readonly header: Headers;
  readonly body: AsyncIterable<Uint8Array>;
  /** The call is over: what its messages took is free. */
  end(): void;
}

/** A message without fields, by encoding. */
const EMPTY: Readonly<Record<Encoding, Uint8Array>> = { binary: new Uint8Array(0), json: Buffer.from("{}") };

/** How a body is written, by its content type as Connect matches it. */
interface Wire {
  readonly encoding: Encoding;
  /** Its messages have prefixes; others are one message. */
  readonly isEnveloped: boolean;
  readonly encodingField: string;
  readonly acceptField: string;
  /** The flag of what is no message: the end of a stream, or trailers. */
  readonly endFlag: number;
}

/**
 * Makes the body of a call.
 *
 * @param values of the call: they have its address, and get the parts of a large batch, whose message is handed on
 *   empty
 * @param refused thrown instead of anything that is read
 */
export function receiveRequest(
  chunks: AsyncIterable<Uint8Array>,
  given: Headers,
  check: MessageCheck,
  { budget, turns }: Receiving,
  values: ContextValues,
  refused?: ConnectError,
): ReceivedRequest {
  const wire = wireOf(given.get("content-type") ?? "");
  const isGzip = given.get(wire.encodingField) === "gzip";
  const promised = wire.isEnveloped || isGzip ? undefined : promisedBytes(given, check.bytesMax);
  const header = isGzip ? unpackedHeader(given, wire) : promised === undefined ? given : unsizedHeader(given);
  const ending = new EarlyEnd();
  if (refused !== undefined) ending.end(refused);
  const limitMs = timeoutMs(given);
  const timer = limitMs === undefined ? undefined : setTimeout(() => ending.end(deadlinePassed()), limitMs);
  const address = callerAddress(values);
  let isOver = false;
  const reader: Reader = { address, isOver: () => isOver || ending.isEnded };
  const begin = () => budget.begin(address, () => ending.end(budgetSpent()));
  let share = begin();
  return {
    header,
    body: messages(),
    end() {
      isOver = true;
      clearTimeout(timer);
      share.end();
    },
  };

  async function* messages(): AsyncGenerator<Uint8Array> {
    const cutter = new Cutter(wire.isEnveloped, check.bytesMax);
    const source = chunks[Symbol.asyncIterator]();
    let count = 0;
    let isEnded = false;
    let received = 0;
    try {
      for (let isLast = false; !isLast;) {
        const { value, done } = await ending.before(source.next());
        isLast = done === true;
        received += value?.length ?? 0;
        // Its message is being worked on, and nothing more is received.
        if (!isLast && check.isSingle && count > 0 && value.length > 0) throw extraMessage();
        if (!isLast && value.length > 0 && !share.receive(value.length)) throw budgetSpent();
        for (const { flags, bytes } of isLast ? cutter.rest() : cutter.cut(value)) {
          if (++count > 1 && check.isSingle) throw extraMessage();
          if (isEnded) {
            throw protocolError("a message behind the end of the stream");
          }
          isEnded = (flags & wire.endFlag) !== 0;
          const plain = await checked(flags, bytes);
          if (!check.isSingle) {
            share.end();
            share = begin();
          } else clearTimeout(timer);
          yield wire.isEnveloped ? enveloped(isGzip ? flags & ~COMPRESSED : flags, plain) : plain;
        }
      }
      if (promised !== undefined && received !== promised) {
        throw protocolError(`promised ${promised} bytes, received ${received}`);
      }
    } finally {
      // Not waited for: a chunk that is being waited for may never come.
      source.return?.()?.catch(() => {});
    }
  }

  async function checked(flags: number, bytes: Uint8Array): Promise<Uint8Array> {
    const isPacked = isGzip && (!wire.isEnveloped || (flags & COMPRESSED) !== 0);
    // How large it is unpacked is not known before, and may be as much as is allowed.
    await ending.before(turns.take(isPacked ? check.bytesMax : bytes.length, reader));
    const plain = isPacked ? unpack(bytes, check.bytesMax) : bytes;
    const isMessage = (flags & wire.endFlag) === 0 && (isGzip || (flags & COMPRESSED) === 0 || !wire.isEnveloped);
    const { becomes, parts }: Checked = isMessage ? check.check(plain, wire.encoding) : { becomes: plain.length };
    const waits = parts !== undefined && budget.needsTurn(becomes);
    if (!share.keep(waits ? keptBytes(parts) : becomes)) throw budgetSpent();
    if (parts === undefined) return plain;
    setParts(values, parts, waits ? (signal) => budget.turns.take(becomes, address, signal) : atOnce);
    return EMPTY[wire.encoding];
  }
}

function wireOf(contentType: string): Wire {
  const type = contentType.toLowerCase();
  const encoding = /^application\/([a-z-]+\+)?json/.test(type) ? "json" : "binary";
  if (type.startsWith("application/grpc")) {
    const endFlag = type.startsWith("application/grpc-web") ? 0x80 : 0;
    const fields = { encodingField: "grpc-encoding", acceptField: "grpc-accept-encoding" };
    return { encoding, isEnveloped: true, endFlag, ...fields };
  }
  if (type.startsWith("application/connect+")) {
    const fields = { encodingField: "connect-content-encoding", acceptField: "connect-accept-encoding" };
    return { encoding, isEnveloped: true, endFlag: 0b10, ...fields };
  }
  const fields = { encodingField: "content-encoding", acceptField: "accept-encoding" };
  return { encoding, isEnveloped: false, endFlag: 0, ...fields };
}

/** The length that is said of a body, where one message may be that long. */
function promisedBytes(header: Headers, bytesMax: number): number | undefined {
  const length = header.get("content-length") ?? "";
  return /^\d+$/.test(length) && Number(length) <= bytesMax ? Number(length) : undefined;
}

/**
 * Connect would make a buffer for as much as is said before any of it has come, and an empty message is not that long.
 */
function unsizedHeader(given: Headers): Headers {
  const header = new Headers(given);
  header.delete("content-length");
  return header;
}

/**
 * What is not said any more: the encoding, and how many bytes it made. Who packs its request gets its answer packed.
 */
function unpackedHeader(given: Headers, { encodingField, acceptField }: Wire): Headers {
  const header = new Headers(given);
  header.delete(encodingField);
  header.delete("content-length");
  if ((header.get(acceptField) ?? "") === "") header.set(acceptField, "gzip");
  return header;
}
