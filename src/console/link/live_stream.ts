/**
 * The stream of changes, for ever: it is opened, taken up again where it ended, and given up when nothing is heard of
 * it. Knows neither workers nor windows; time and chance are passed in.
 *
 *     opening  -> open      the first message has come
 *     opening  -> waiting   it failed, or nothing has come for OPEN_MS_MAX
 *     open     -> opening   the server ended it, or it broke, or it was silent for 2.5 heartbeats
 *     waiting  -> opening   its time is over, or somebody asks to look
 *     opening  -> refused   the server does not let this caller watch
 *     any      -> closed
 *
 * To those who look on it is `connecting` until it was open once, then `live`, and `away` once it has not been open for
 * AWAY_AFTER_MS: who redials at once and gets through has not been away. Who may not watch is `denied`.
 */
import { Code, ConnectError } from "@connectrpc/connect";
import { type WatchInvResponse, WatchStart } from "../../gen/inventory/v1/watch_pb.ts";
import type { LinkState, StreamEvent } from "./stream_events.ts";

/** A stream that has not begun by then is given up, in ms. */
export const OPEN_MS_MAX = 10_000;
/** Time without a stream before anybody is troubled with it, in ms. */
export const AWAY_AFTER_MS = 3_000;
/** Heartbeats that may be missed. */
const HEARTBEATS_MISSED_MAX = 2.5;
/** Until the server says how often it sends one, in ms. */
const HEARTBEAT_MS = 10_000;
/** A stream that was open for longer did not fail, in ms: what comes after it is redialled at once. */
const STEADY_MS = 5_000;
/** After a first redial at once: longest wait of the next, which doubles up to the largest, in ms. */
const WAIT_MS_FIRST = 500;
const WAIT_MS_MAX = 15_000;

/** What the stream needs. */
export interface LiveStreamOptions {
  /** Opens a stream from where the token says; empty: from now. */
  readonly open: (resumeToken: string, signal: AbortSignal) => AsyncIterable<WatchInvResponse>;
  readonly emit: (event: StreamEvent) => void;
  /** Calls back after `ms`, unless what it answers is called before. */
  readonly after: (ms: number, then: () => void) => () => void;
  readonly nowMs: () => number;
  /** From 0 to 1. */
  readonly random: () => number;
  /** From where an earlier stream ended. */
  readonly resumeToken?: string;
}

/** What an attempt came to. */
type End = "over" | "refused";

/** One stream that does not end. */
export class LiveStream {
  #state: LinkState = "connecting";
  #token: string;
  #heartbeatMs = HEARTBEAT_MS;
  #heardAtMs: number;
  /** Streams in a row that did not last. */
  #failures = 0;
  #openedAtMs: number | undefined;
  #attempt: AbortController | undefined;
  #endWait: (() => void) | undefined;
  #stopAway: (() => void) | undefined;
  #isClosed = false;
  #isOver = false;

  constructor(private readonly options: LiveStreamOptions) {
    this.#token = options.resumeToken ?? "";
    this.#heardAtMs = options.nowMs();
  }

  get state(): LinkState {
    return this.#state;
  }

  /** It was refused or closed: nothing comes of it any more. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** From where another stream may go on. */
  get resumeToken(): string {
    return this.#token;
  }

  /** Streams until it is closed or refused. Never rejects. */
  async run(): Promise<void> {
    this.#beginAway();
    while (!this.#isClosed) {
      const end = await this.#dial();
      if (this.#isClosed || end === "refused") break;
      this.#beginAway();
      const longest = Math.min(WAIT_MS_MAX, WAIT_MS_FIRST * 2 ** (this.#failures - 2));
      // At once the first time: most breaks are of the network, and over.
      if (this.#failures > 1) await this.#wait(longest * this.options.random());
    }
    this.#stopAway?.();
    this.#isOver = true;
  }

  /** Somebody looks at the page again: what is silent for too long is given up, and nothing is waited for. */
  look(): void {
    if (this.options.nowMs() - this.#heardAtMs > this.#silenceMsMax) this.#attempt?.abort();
    this.#endWait?.();
  }

  close(): void {
    this.#isClosed = true;
    this.#attempt?.abort();
    this.#endWait?.();
  }

  get #silenceMsMax(): number {
    return HEARTBEATS_MISSED_MAX * this.#heartbeatMs;
  }

  async #dial(): Promise<End> {
    const { open, after, nowMs } = this.options;
    const attempt = this.#attempt = new AbortController();
    let stopWatch = after(OPEN_MS_MAX, () => attempt.abort());
    this.#heardAtMs = nowMs();
    try {
      for await (const message of open(this.#token, attempt.signal)) {
        stopWatch();
        this.#heardAtMs = nowMs();
        const end = this.#take(message).case === "ended";
        if (end) return this.#over();
        stopWatch = after(this.#silenceMsMax, () => attempt.abort());
      }
      return this.#over();
    } catch (error) {
      return this.#explain(error);
    } finally {
      stopWatch();
      // Whatever ended it: nothing of it is read any more.
      attempt.abort();
      this.#attempt = undefined;
    }
  }

  #take({ resumeToken, event }: WatchInvResponse): WatchInvResponse["event"] {
    if (event.case === "started") this.#started(event.value.start, event.value.heartbeatMs);
    if (event.case === "changes") this.options.emit({ kind: "changes", changes: event.value.changes });
    if (resumeToken !== "") this.#token = resumeToken;
    return event;
  }

  #started(start: WatchStart, heartbeatMs: number): void {
    if (heartbeatMs > 0) this.#heartbeatMs = heartbeatMs;
    this.#openedAtMs = this.options.nowMs();
    this.#stopAway?.();
    this.#stopAway = undefined;
    this.#setState("live");
    if (start !== WatchStart.RESUMED) this.options.emit({ kind: "reload" });
  }

  #explain(error: unknown): End {
    const { code, rawMessage } = ConnectError.from(error);
    if (code === Code.Unauthenticated || code === Code.PermissionDenied) {
      this.#setState(code === Code.PermissionDenied ? "denied" : "away");
      this.options.emit({ kind: "refused", code, message: rawMessage });
      return "refused";
    }
    // A token that is not understood is of another version, or not a whole one.
    if (code === Code.InvalidArgument) this.#token = "";
    return this.#over();
  }

  #over(): End {
    const { nowMs } = this.options;
    if (this.#openedAtMs !== undefined && nowMs() - this.#openedAtMs > STEADY_MS) this.#failures = 0;
    this.#openedAtMs = undefined;
    this.#failures++;
    return "over";
  }

  #beginAway(): void {
    this.#stopAway ??= this.options.after(AWAY_AFTER_MS, () => this.#setState("away"));
  }

  async #wait(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const stop = this.options.after(ms, resolve);
      this.#endWait = () => {
        stop();
        resolve();
      };
      if (this.#isClosed) this.#endWait();
    });
    this.#endWait = undefined;
  }

  #setState(state: LinkState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.options.emit({ kind: "state", state });
  }
}
