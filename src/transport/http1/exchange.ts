/**
 * An exchange over HTTP/1: a request and a response of node:http, on a connection that carries one at a time.
 */
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { type Connection, cut } from "../connections.ts";
import { Member } from "../../base/roll.ts";
import type { Caller } from "../peers.ts";
import { type Exchange, type Http1Call, type RefusalStatus, REQUEST_ID_HEADER } from "../exchange.ts";

const REASONS: Readonly<Record<number, string>> = {
  400: "Bad Request",
  408: "Request Timeout",
  417: "Expectation Failed",
  431: "Request Header Fields Too Large",
  501: "Not Implemented",
  503: "Service Unavailable",
};

/** One request over HTTP/1 and its answer. */
export class Http1Exchange extends Member implements Exchange, Http1Call {
  readonly startedAt = performance.now();
  answeredAt: number | undefined = undefined;
  readonly isReset = false;
  #id: string | undefined = undefined;

  constructor(
    readonly caller: Caller,
    private readonly connection: Connection,
    private readonly request: IncomingMessage,
    private readonly response: ServerResponse,
  ) {
    super();
    // node:http reads nothing more of a connection that asks for an upgrade: what is pipelined behind would never be
    // answered.
    if (request.headers.upgrade !== undefined) this.sayClose();
  }

  get address(): string {
    return this.caller.address;
  }

  get path(): string {
    return this.request.url ?? "";
  }

  get headers(): IncomingHttpHeaders {
    return this.request.headers;
  }

  get rawHeaders(): readonly string[] {
    return this.request.rawHeaders;
  }

  get refusal(): 400 | 417 | 501 | undefined {
    return http1Refusal(this.request.rawHeaders);
  }

  get isRequestComplete(): boolean {
    return this.request.complete;
  }

  get hasBegunAnswer(): boolean {
    return this.response.headersSent;
  }

  get isAnswerEnded(): boolean {
    return this.response.writableEnded;
  }

  /** Bytes that node:http keeps of the answer until those before it have been sent. */
  get keptBytes(): number {
    const { writableLength, socket } = this.response;
    return writableLength - (socket?.writableLength ?? 0);
  }

  handOver(bytes: number): boolean {
    if (this.connection.waiting!.add(bytes)) return true;
    cut(this.connection);
    return false;
  }

  countTaken(): void {
    this.connection.waiting!.look();
  }

  onceClosed(closed: () => void): void {
    this.response.once("close", () => {
      closed();
      letReadOn(this.connection.http1!);
    });
  }

  carryId(id: string): void {
    this.#id = id;
    this.response.setHeader(REQUEST_ID_HEADER, id);
  }

  refuse(status: RefusalStatus): void {
    if (this.response.headersSent) return cut(this.connection);
    this.sayClose();
    this.response.writeHead(status);
    this.response.end();
  }

  giveUp(why: "slow" | "surplus"): void {
    if (!isNextAnswer(this.connection)) cut(this.connection);
    else answerAndCut(this.connection.http1!, why === "surplus" ? 503 : 408, this.#id);
  }

  close(): void {
    this.response.emit("close");
  }

  sayClose(): void {
    if (!this.response.headersSent) this.response.setHeader("connection", "close");
  }

  discardBody(): void {
    if (!this.request.complete) this.request.resume();
  }
}

/**
 * Has node:http read on where it paused for what pipelined answers had waiting, and that is gone. Left to itself that
 * of Deno 2.9.3 reads on only when the socket drains, which one that never was full does not.
 */
function letReadOn(socket: Socket & { _paused?: boolean }): void {
  if (socket._paused === true && !socket.destroyed && !socket.writableNeedDrain) socket.emit("drain");
}

/**
 * Whether what is written to the connection by hand is read as the answer to the request that still comes. Behind
 * another one it would be taken for that one's answer, or for a part of it.
 */
export function isNextAnswer({ exchanges }: Connection): boolean {
  const [first, ...more] = exchanges;
  if (first === undefined) return true;
  return more.length === 0 && !first.isRequestComplete && first instanceof Http1Exchange && !first.hasBegunAnswer;
}

/**
 * Answers an HTTP/1 connection whose request never reached the handler, then closes it. `id` is that of the request.
 */
export function answerAndCut(socket: Socket, status: number, id?: string): void {
  if (!socket.writable) return void socket.destroy();
  const idField = id === undefined ? "" : `${REQUEST_ID_HEADER}: ${id}\r\n`;
  const header = `HTTP/1.1 ${status} ${REASONS[status]}\r\n${idField}connection: close\r\ncontent-length: 0\r\n\r\n`;
  socket.end(header, () => {
    socket.destroy();
  });
}

/** What no host with a port may have: it would be read as a path, a query, user information or a fragment. */
const NOT_OF_A_HOST = /[/?#@\\\s]/;

/**
 * What RFC 9112 forbids in the header of a request and node:http lets pass: the status to answer a header with, given
 * as names and values by turns; undefined where nothing is wrong.
 *
 * 400: two Host fields, or one that is no host (section 3.2). 417: an expectation beside 100-continue (RFC 9110,
 * section 10.1.1). 501: a transfer coding beside chunked (section 6.1), whose body node:http would hand over as it
 * came.
 */
export function http1Refusal(raw: readonly string[]): 400 | 417 | 501 | undefined {
  let hosts = 0;
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]!.toLowerCase();
    const value = raw[i + 1]!;
    if (name === "host" && (++hosts > 1 || NOT_OF_A_HOST.test(value.trim()))) return 400;
    if (name === "expect" && value.trim().toLowerCase() !== "100-continue") return 417;
    if (name === "transfer-encoding" && value.trim().toLowerCase() !== "chunked") return 501;
  }
}
