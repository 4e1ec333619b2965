/**
 * Looks at what a PostgreSQL says before the driver does, and stops what the driver (3.4.9) can't bear: a COPY that
 * nobody asked for ends the process from a timer, a column without the end of its name is an endless loop, a SCRAM of
 * many iterations blocks the only thread, and a reply of any size is kept as a whole. Messages: PostgreSQL manual,
 * 55.7.
 *
 *     header --5 bytes--> payload --its end--> header
 *     any    --what is not ours to take--> broken, for good
 */
import { Buffer } from "node:buffer";

/** Largest reply to one statement, in bytes. A batch of 1000 orders with 500 lines each is read in 17 MB. */
export const REPLY_BYTES_MAX = 64 * 1024 * 1024;
/** Largest message that is looked into, in bytes: of a log-in, or the columns of a result. */
const PAYLOAD_BYTES_MAX = 64 * 1024;
/** PostgreSQL's default is 4,096; so many take 0.1 s. */
const SCRAM_ITERATIONS_MAX = 200_000;

const EMPTY = Buffer.alloc(0);
const HEADER_BYTES = 5;
/** Behind the name of a column: its table, number, type, size, modifier and format. */
const COLUMN_BYTES = 18;
/** What comes in answer to statements as ours are: no COPY, no cursors, no functions by number. */
const TAKEN = new Set("RSKZENATDC12tnIv");
/**
 * Kinds of Authentication that the driver knows: taken, by password in clear or as md5, and the three steps of SCRAM.
 */
const AUTHENTICATIONS = new Set([0, 3, 5, 10, 11, 12]);

/** A reply that is not taken. By the `code` errors.ts knows that the connection ended under the statement. */
export class ReplyError extends Error {
  override name = "ReplyError";
  readonly code = "ERR_REPLY";
}

/** The guard of one connection. Under TLS a password may be asked for in clear: nobody else hears it. */
export class ReplyGuard {
  readonly #isUnderTls: boolean;
  #header: Buffer = EMPTY;
  #type = "";
  /** Bytes of the message's payload that are still to come. */
  #left = 0;
  #payload: Buffer[] | undefined;
  /** Bytes since the last ReadyForQuery. */
  #replyBytes = 0;

  constructor(isUnderTls = false) {
    this.#isUnderTls = isUnderTls;
  }

  /** Looks at the next bytes. Throws ReplyError at the first message that is not to be handed on. */
  take(bytes: Buffer): void {
    for (let at = 0; at < bytes.length;) {
      if (this.#type === "") at += this.#takeHeader(bytes, at);
      if (this.#type === "") return;
      const size = Math.min(this.#left, bytes.length - at);
      this.#payload?.push(bytes.subarray(at, at + size));
      this.#left -= size;
      at += size;
      if (this.#left === 0) this.#endMessage();
    }
  }

  #takeHeader(bytes: Buffer, at: number): number {
    const size = Math.min(HEADER_BYTES - this.#header.length, bytes.length - at);
    const next = bytes.subarray(at, at + size);
    this.#header = this.#header.length === 0 ? next : Buffer.concat([this.#header, next]);
    if (this.#header.length < HEADER_BYTES) return size;
    const type = this.#header.toString("latin1", 0, 1);
    const length = this.#header.readInt32BE(1);
    this.#header = EMPTY;
    if (!TAKEN.has(type)) throw new ReplyError(`a message of type ${JSON.stringify(type)} was not asked for`);
    if (length < 4) throw new ReplyError(`a message says that it is ${length} bytes long`);
    this.#replyBytes += length + 1;
    if (this.#replyBytes > REPLY_BYTES_MAX) throw new ReplyError(`a reply is larger than ${REPLY_BYTES_MAX} bytes`);
    this.#type = type;
    this.#left = length - 4;
    this.#payload = type === "R" || type === "T" ? [] : undefined;
    if (this.#payload !== undefined && length > PAYLOAD_BYTES_MAX) {
      throw new ReplyError(`a message of type ${type} is larger than ${PAYLOAD_BYTES_MAX} bytes`);
    }
    return size;
  }

  #endMessage(): void {
    const payload = this.#payload && Buffer.concat(this.#payload);
    if (this.#type === "Z") this.#replyBytes = 0;
    if (this.#type === "R" && payload !== undefined) assertAuthentication(payload, this.#isUnderTls);
    if (this.#type === "T" && payload !== undefined) assertColumns(payload);
    this.#type = "";
    this.#payload = undefined;
  }
}

function assertAuthentication(payload: Buffer, isUnderTls: boolean): void {
  const kind = payload.length < 4 ? -1 : payload.readInt32BE(0);
  if (!AUTHENTICATIONS.has(kind)) throw new ReplyError(`a way to log in, number ${kind}, that is not known`);
  if (kind === 3 && !isUnderTls) {
    throw new ReplyError("the password is asked for in clear, on a connection without TLS");
  }
  if (kind === 5 && payload.length !== 8) throw new ReplyError("a log-in by md5 that can't be read");
  if (kind !== 11) return;
  const iterations = /^r=[^,]+,s=[A-Za-z0-9+/]+=*,i=(\d{1,10})$/.exec(payload.toString("utf8", 4))?.[1];
  if (iterations === undefined) throw new ReplyError("a log-in by SCRAM that can't be read");
  if (Number(iterations) < 1 || Number(iterations) > SCRAM_ITERATIONS_MAX) {
    throw new ReplyError(`a log-in by SCRAM asks for ${iterations} iterations; ${SCRAM_ITERATIONS_MAX} are the most`);
  }
}

/** Each name must end where the driver looks for its end. */
function assertColumns(payload: Buffer): void {
  const count = payload.length < 2 ? -1 : payload.readUInt16BE(0);
  let at = 2;
  for (let column = 0; column < count; column++) {
    const end = payload.indexOf(0, at);
    if (end < 0) break;
    at = end + 1 + COLUMN_BYTES;
    if (at > payload.length) break;
  }
  if (at !== payload.length || count < 0) throw new ReplyError("the columns of a result can't be read");
}
