/**
 * An exchange over HTTP/1: a request and a response of node:http, on a connection that carries one at a time.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { type Connection, cut } from "../connections.ts";
import type { Exchange } from "../exchange.ts";
import { http1Refusal } from "./http1_header.ts";
import type { WireHandler } from "../http_handler.ts";
import { identifyRequest, REQUEST_ID_HEADER } from "../request_id.ts";

const REASONS: Readonly<Record<number, string>> = {
  400: "Bad Request",
  408: "Request Timeout",
  417: "Expectation Failed",
  431: "Request Header Fields Too Large",
  501: "Not Implemented",
  503: "Service Unavailable",
};

/** One request over HTTP/1 and its answer. */
export class Http1Exchange implements Exchange {
  readonly startedAt = performance.now();
  answeredAt: number | undefined = undefined;
  readonly isReset = false;
  #id: string | undefined = undefined;

  constructor(
    private readonly connection: Connection,
    private readonly request: IncomingMessage,
    private readonly response: ServerResponse,
  ) {
    // node:http reads nothing more of a connection that asks for an upgrade: what is pipelined behind would never be answered.
    if (request.headers.upgrade !== undefined) this.sayClose();
  }

  get path(): string {
    return this.request.url ?? "";
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

  get isAnswerEnded(): boolean {
    return this.response.writableEnded;
  }

  onceClosed(closed: () => void): void {
    this.response.once("close", closed);
  }

  identify(newId: () => string): void {
    this.#id = identifyRequest(this.request.headers, newId);
    this.response.setHeader(REQUEST_ID_HEADER, this.#id);
  }

  answer(handler: WireHandler): void {
    handler.http1(this.request, this.response);
  }

  refuse(status: 400 | 417 | 431 | 501 | 503): void {
    this.sayClose();
    this.response.writeHead(status);
    this.response.end();
  }

  giveUp(why: "slow" | "crowded"): void {
    if (this.response.headersSent) cut(this.connection);
    else answerAndCut(this.connection.http1!, why === "crowded" ? 503 : 408, this.#id);
  }

  sayClose(): void {
    if (!this.response.headersSent) this.response.setHeader("connection", "close");
  }

  discardBody(): void {
    if (!this.request.complete) this.request.resume();
  }
}

/** Answers an HTTP/1 connection whose request never reached the handler, then closes it. `id` is that of the request. */
export function answerAndCut(socket: Socket, status: number, id?: string): void {
  if (!socket.writable) return void socket.destroy();
  const idField = id === undefined ? "" : `${REQUEST_ID_HEADER}: ${id}\r\n`;
  const header = `HTTP/1.1 ${status} ${REASONS[status]}\r\n${idField}connection: close\r\ncontent-length: 0\r\n\r\n`;
  socket.end(header, () => {
    socket.destroy();
  });
}
