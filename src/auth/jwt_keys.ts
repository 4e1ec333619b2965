/**
 * The keys of the issuer: read at the start and in the background, never by a call.
 *
 *     the keys are      when                                              tokens
 *     missing           no read has succeeded yet                         can't be verified now
 *     in use            a read succeeded, at most `ageMsMax` ago          are verified
 *     too old           no read has succeeded for `ageMsMax`              can't be verified now
 *
 * A read that fails leaves what is in use in use. After one that succeeded the next comes in five minutes (of a file,
 * in five seconds), after one that failed soon and then ever later. A call whose token's key is missing asks for a
 * read at once and does not wait for it. It comes only where none was begun in the last half minute: whoever makes up
 * keys causes two reads a minute, and no more.
 */
import { type Backoff, backoffMs } from "../base/backoff.ts";
import { errorSummary, type Log } from "../telemetry/log.ts";
import { type KeySet, KeySetError, parseKeySet } from "./jwt_key_set.ts";
import { readKeySetText } from "./jwt_key_place.ts";
import type { KeysPlace } from "./jwt_rules.ts";

/** Pause after a read that succeeded, in ms. */
const READ_AGAIN_MS = { url: 300_000, file: 5_000 };
/** Shortest time from the begin of a read to one that a call asks for, in ms. */
export const ASKED_PAUSE_MS = 30_000;
/** Pauses after reads that failed. */
const FAILED: Backoff = { leastMs: 1_000, firstMs: 2_000, growth: 2, maxMs: 60_000 };

/** What the keys are made of. */
export interface IssuerKeysOptions {
  readonly place: KeysPlace;
  readonly ageMsMax: number;
  readonly log: Log;
  readonly random: () => number;
  /** A clock that runs forward; for tests. */
  readonly nowMs?: () => number;
  /** Reads the text; for tests. */
  readonly read?: typeof readKeySetText;
}

/** The keys of one issuer, kept up. */
export class IssuerKeys {
  #set: KeySet | undefined;
  #text: string | undefined;
  #readAtMs = -Infinity;
  #begunAtMs = -Infinity;
  #failures = 0;
  #isTooOldSaid = false;
  #reading: Promise<void> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #stopping = new AbortController();
  readonly #nowMs: () => number;

  private constructor(private readonly options: IssuerKeysOptions) {
    this.#nowMs = options.nowMs ?? (() => performance.now());
  }

  /**
   * Reads them, and keeps them up from then on.
   *
   * @throws KeySetError for a file that can't be used. A server that does not answer may do so later
   */
  static async open(options: IssuerKeysOptions): Promise<IssuerKeys> {
    const keys = new IssuerKeys(options);
    if ("file" in options.place) keys.#use(await keys.#readText());
    await keys.#read();
    return keys;
  }

  /** What verifies tokens now; another object once the keys have changed. Undefined where nothing may. */
  get current(): KeySet | undefined {
    if (this.#set === undefined || this.#nowMs() - this.#readAtMs <= this.options.ageMsMax) return this.#set;
    this.#sayTooOld();
    return undefined;
  }

  /** What was read last, however long ago: for what goes on that was verified before. */
  get latest(): KeySet | undefined {
    return this.#set;
  }

  /**
   * To be called for a token whose key is missing here. Has the keys read anew, where no read was begun lately; answers
   * whether one is under way that may bring it.
   */
  ask(): boolean {
    const isDue = this.#nowMs() - this.#begunAtMs >= ASKED_PAUSE_MS;
    if (this.#reading === undefined && isDue && !this.#stopping.signal.aborted) void this.#read();
    return this.#reading !== undefined;
  }

  /** Reads no more. Resolves when no read is under way. */
  async close(): Promise<void> {
    this.#stopping.abort();
    clearTimeout(this.#timer);
    await this.#reading;
  }

  /** One read at a time. Does not reject. */
  #read(): Promise<void> {
    return this.#reading ??= this.#readNow().finally(() => this.#reading = undefined);
  }

  async #readNow(): Promise<void> {
    clearTimeout(this.#timer);
    this.#begunAtMs = this.#nowMs();
    try {
      this.#use(await this.#readText());
      this.#failures = 0;
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      this.#failed(error);
    }
    if (this.#stopping.signal.aborted) return;
    const { random, place } = this.options;
    const pause = READ_AGAIN_MS["file" in place ? "file" : "url"];
    // Not all processes at once.
    const afterMs = this.#failures === 0
      ? pause * (0.9 + 0.1 * random())
      : Math.min(pause, backoffMs(FAILED, this.#failures, random()));
    this.#timer = setTimeout(() => void this.#read(), afterMs);
    Deno.unrefTimer(this.#timer as unknown as number);
  }

  #readText(): Promise<string> {
    return (this.options.read ?? readKeySetText)(this.options.place, this.#stopping.signal);
  }

  #use(text: string): void {
    const isNew = text !== this.#text;
    if (isNew) this.#set = parseKeySet(text);
    this.#text = text;
    this.#readAtMs = this.#nowMs();
    const { size, ids } = this.#set!;
    if (isNew) this.options.log.info({ keys: size, ids }, "the issuer's keys in use");
    else if (this.#failures > 0) this.options.log.info({ keys: size }, "the issuer's keys can be read again");
    this.#isTooOldSaid = false;
  }

  #failed(error: unknown): void {
    this.#failures++;
    const why = error instanceof KeySetError ? error.message : "failed by a fault of the service";
    const cause = error instanceof KeySetError ? error.cause : error;
    if (this.#failures === 1) {
      const message = this.#set === undefined
        ? "the issuer's keys can't be read, and tokens can't be verified until they can"
        : "the issuer's keys can't be read, and those before stay in use for now";
      this.options.log.warn(
        { ...this.#where, why, ...(cause === undefined ? {} : { error: errorSummary(cause) }) },
        message,
      );
    }
    // Without a call it would be said to nobody.
    void this.current;
  }

  #sayTooOld(): void {
    if (this.#isTooOldSaid) return;
    this.#isTooOldSaid = true;
    this.options.log.error(
      { ...this.#where, ageMs: Math.round(this.#nowMs() - this.#readAtMs), ageMsMax: this.options.ageMsMax },
      "the issuer's keys are older than JWT_JWKS_AGE_MS_MAX, and tokens can't be verified until they can be read again",
    );
  }

  get #where(): Record<string, string> {
    return { ...this.options.place };
  }
}
