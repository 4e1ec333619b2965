/**
 * A client of a stream of changes as docs/clients.md says that one is: it goes on from its last token after every end,
 * has a watchdog, redials at once and then with longer and longer waits, and takes nothing in twice. Meanwhile it
 * checks what it is promised: for each place the versions come one after the other, folded ones counted.
 *
 *     dialling --first message--------------------------------> reading
 *     reading  --the server ends it---------------------------> dialling, at once
 *     reading  --any other end, silence for 2.5 heartbeats----> dialling, at once where it lasted, else waiting
 *     dialling --an error, or silence-------------------------> waiting --> dialling
 *     any      --an error that no retry helps, or stop--------> over
 */
import { backoffMs } from "../../src/base/backoff.ts";
import { pause } from "../../src/base/bounded_wait.ts";
import {
  StreamError,
  type StreamLevel,
  type StreamMessage,
  type StreamMethod,
  type StreamRequest,
  type StreamSource,
} from "./stream_sources.ts";

/** What a watcher is made of. */
export interface WatcherParts {
  readonly name: string;
  /** Where the next stream is opened, by how many were before. */
  readonly dial: (attempt: number) => StreamSource;
  readonly method?: StreamMethod;
  readonly request?: StreamRequest;
  /** Whether places that it has never heard of begin with version 1. By default they do. */
  readonly fromTheFirst?: boolean;
  /** Evenly spread over [0, 1). */
  readonly random: () => number;
  /** Called with each message before it is taken in. */
  readonly seen?: (message: StreamMessage) => void;
  /** The longest that it waits before it tries again; 15 s where it is not given. */
  readonly backoffMsMax?: number;
}

const SILENT_HEARTBEATS = 2.5;
/** Whatever a heartbeat is: the machine of a test may be busy. */
const SILENT_MS_MIN = 5_000;
/** A stream that lasted so long, in ms, was a good one. */
const LASTED_MS = 1_000;
/** Until the first message, and so until it says itself what a heartbeat is. */
const OPEN_MS_MAX = 10_000;
const BACKOFF = { leastMs: 20, firstMs: 250, growth: 2, maxMs: 15_000 };
const NO_RETRY_HELPS: readonly string[] = ["INVALID_ARGUMENT", "NOT_FOUND", "UNAUTHENTICATED", "PERMISSION_DENIED"];

/** One client. */
export class Watcher {
  /** Where each place stands, as far as it knows. */
  readonly levels = new Map<string, StreamLevel>();
  /** What it was not promised: a gap, a version twice, levels that go backwards. */
  readonly faults: string[] = [];
  /** What came: how streams began and ended, and how many changes, folded ones and heartbeats. */
  readonly counts: Record<string, number> = {};
  token = "";
  /** Why it gave up; absent: it did not. */
  failure: StreamError | undefined;
  readonly #parts: WatcherParts;
  readonly #stop = new AbortController();
  /** The latest version that was taken in of each place, and what it was at the latest token. */
  readonly #seen = new Map<string, number>();
  readonly #sinceToken = new Map<string, number | undefined>();
  /** Places of the snapshot that is coming. */
  #snapshot: Set<string> | undefined;
  /** Whether the latest stream was a good one: it lasted, or the server ended it. */
  #wasGood = true;
  #waiting: (() => void)[] = [];
  #over: Promise<void> | undefined;

  constructor(parts: WatcherParts) {
    this.#parts = parts;
  }

  /** Begins. */
  start(): this {
    this.#over ??= this.#run();
    return this;
  }

  /** Ends, and waits for its end. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#over;
  }

  /** Waits until it is so, looking again with each message. */
  async until(isSo: (watcher: this) => boolean): Promise<void> {
    while (!isSo(this)) {
      if (this.failure !== undefined) throw this.failure;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    for (let attempt = 0, failures = 0; !signal.aborted; attempt++) {
      const error = await this.#read(attempt);
      if (error instanceof StreamError && NO_RETRY_HELPS.includes(error.code)) {
        this.failure = error;
        return this.#notify();
      }
      failures = this.#wasGood ? 0 : failures + 1;
      const backoff = { ...BACKOFF, maxMs: this.#parts.backoffMsMax ?? BACKOFF.maxMs };
      if (failures > 0) await pause(backoffMs(backoff, failures, this.#parts.random()), signal);
    }
  }

  /** Reads one stream to its end; answers what that was. */
  async #read(attempt: number): Promise<unknown> {
    const { dial, method = "WatchInv", request = {} } = this.#parts;
    const silence = new AbortController();
    const signal = AbortSignal.any([this.#stop.signal, silence.signal]);
    let timer: ReturnType<typeof setTimeout> | undefined;
    let silentMs = OPEN_MS_MAX;
    const rewind = () => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        this.#count("silent");
        silence.abort();
      }, silentMs);
    };
    rewind();
    this.#wasGood = false;
    this.#backToToken();
    let beganAt: number | undefined;
    try {
      const asked = this.token === "" ? request : withToken(method, request, this.token);
      for await (const message of dial(attempt).open(method, asked, signal)) {
        beganAt ??= performance.now();
        if (message.event.case === "started") {
          silentMs = Math.max(SILENT_MS_MIN, SILENT_HEARTBEATS * message.event.heartbeatMs);
        }
        rewind();
        this.#parts.seen?.(message);
        this.#take(message);
        this.#notify();
      }
      this.#count("over");
    } catch (error) {
      this.#count(error instanceof StreamError ? error.code : `${error}`);
      return error;
    } finally {
      clearTimeout(timer);
      if (beganAt !== undefined && performance.now() - beganAt > LASTED_MS) this.#wasGood = true;
      this.#notify();
    }
  }

  /** What came since the token comes again. */
  #backToToken(): void {
    for (const [place, version] of this.#sinceToken) {
      if (version === undefined) this.#seen.delete(place);
      else this.#seen.set(place, version);
    }
    this.#sinceToken.clear();
  }

  #take({ token, event }: StreamMessage): void {
    if (event.case === "started") this.#begin(event.start);
    else if (event.case === "ended") this.#end(event.end);
    else if (event.case === "heartbeat") this.#count("heartbeats");
    else if (event.case === "snapshot") this.#takeSnapshot(event.levels, event.complete);
    else for (const { level, folded } of event.changes) this.#change(level, folded);
    if (token === "") return;
    this.token = token;
    this.#sinceToken.clear();
  }

  #end(end: string): void {
    this.#count(end);
    this.#wasGood = true;
  }

  #begin(start: string): void {
    this.#count(start);
    if (start === "WATCH_START_SNAPSHOT" && this.token !== "") this.#fault("a snapshot, as if it had sent no token");
    if (start === "WATCH_START_RESUMED" || start === "WATCH_START_NOW") return;
    this.#snapshot = new Set();
    // Its end before a token leads back to the last one, and to what was known then.
    for (const [place, version] of this.#seen) if (!this.#sinceToken.has(place)) this.#sinceToken.set(place, version);
    this.#seen.clear();
  }

  #takeSnapshot(levels: readonly StreamLevel[], complete: boolean): void {
    for (const level of levels) {
      const place = placeOf(level);
      const seen = this.#seen.get(place);
      if (seen !== undefined && seen > level.version) {
        this.#fault(`snapshot of ${place}: ${level.version} after ${seen}`);
      }
      this.#snapshot?.add(place);
      this.#note(place, level.version);
      this.levels.set(place, level);
    }
    if (!complete) return;
    for (const place of this.levels.keys()) if (!this.#seen.has(place)) this.levels.delete(place);
    this.#snapshot = undefined;
  }

  #change(level: StreamLevel, folded: number): void {
    const place = placeOf(level);
    const seen = this.#seen.get(place) ?? (this.#parts.fromTheFirst === false ? undefined : 0);
    this.#count("changes");
    if (folded > 0) this.#count("folded", folded);
    if (seen !== undefined && level.version !== seen + 1 + folded) {
      this.#fault(`${place}: version ${level.version}, of which ${folded} folded, after ${seen}`);
    }
    this.#note(place, level.version);
    if (level.version > (this.levels.get(place)?.version ?? 0)) this.levels.set(place, level);
  }

  #note(place: string, version: number): void {
    if (!this.#sinceToken.has(place)) this.#sinceToken.set(place, this.#seen.get(place));
    this.#seen.set(place, version);
  }

  #fault(what: string): void {
    this.faults.push(`${this.#parts.name}: ${what}`);
  }

  #count(what: string, by = 1): void {
    this.counts[what] = (this.counts[what] ?? 0) + by;
  }

  #notify(): void {
    this.#waiting.splice(0).forEach((resolve) => resolve());
  }
}

/** The request with the token in it, in the form of protobuf-es. */
function withToken(method: StreamMethod, request: StreamRequest, token: string): StreamRequest {
  if (method === "WatchInv") return { ...request, resumeToken: token };
  return { ...request, from: { case: "resumeToken", value: token } };
}

/** A goods at a location, as a key. */
export function placeOf({ goodsId, locationId }: Pick<StreamLevel, "goodsId" | "locationId">): string {
  return `${goodsId}@${locationId}`;
}
