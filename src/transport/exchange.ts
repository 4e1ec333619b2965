/**
 * One request and its answer as the listener sees them, whatever the protocol: how far they are, and how to end them.
 * Knows neither what is asked nor who answers.
 */
import type { WireHandler } from "./http_handler.ts";

/** From the header of a request to the end of its answer, or to its reset. Times are of `performance.now()`, in ms. */
export interface Exchange {
  readonly startedAt: number;
  /** When the handler was first seen to have ended its answer, which the peer has not taken yet. */
  answeredAt: number | undefined;
  /** What is asked for, as sent. */
  readonly path: string;
  /** Names and values of the request's header, by turns, as they came. */
  readonly rawHeaders: readonly string[];
  /** Whether the whole request has arrived, or no more of it will. */
  readonly isRequestComplete: boolean;
  /** Whether the handler has ended its answer, taken by the peer or not. */
  readonly isAnswerEnded: boolean;
  /** HTTP/1: the status that its header must be answered with, whatever is asked for; absent for HTTP/2 and good ones. */
  readonly refusal?: 400 | 417 | 501 | undefined;
  /** HTTP/2: whether the stream ended in a reset, by either side. HTTP/1 has none. */
  readonly isReset: boolean;
  /** Calls back once, when the answer has ended or the stream or connection is gone. */
  onceClosed(closed: () => void): void;
  /** Gives the request its id, made by `newId` where it brings none, and has its answer carry it. */
  identify(newId: () => string): void;
  /** Gives the request to what answers it. Throws where no URL can be made of it. */
  answer(handler: WireHandler): void;
  /** Refuses it, before or instead of an answer: 503 as not begun, which every HTTP/2 client may try again. */
  refuse(status: 400 | 417 | 431 | 501 | 503): void;
  /**
   * Ends it, over a limit; once its answer has begun the stream is reset with CANCEL, or the HTTP/1 connection cut. Before:
   *
   * - `"slow"`: the peer was given its time. CANCEL, which gRPC clients don't try again, or 408.
   * - `"crowded"`: it is one too many, whose request no handler has got whole. REFUSED_STREAM or 503, which say that it may be
   *   tried again.
   */
  giveUp(why: "slow" | "crowded"): void;
  /** Asks the peer not to send more on this connection, where it is not too late. HTTP/2 has GOAWAY for that. */
  sayClose(): void;
  /** HTTP/1: has what is left of a body that nobody wants read off, or the next request is never seen. */
  discardBody(): void;
}
