/**
 * The keys of `api_keys` as a process knows them: read twice a second, so that a key that was revoked, or added, or
 * changed, is so in every process within {@link KNOWN_MS_MAX}. A call is decided by what was read no longer ago than
 * that, and waits for the next read where there is nothing so new. A read that takes longer than half of that is still
 * good for the other half when it is there, or a process that gets little of its CPU would let nobody in: then a change
 * takes that much longer, {@link KNOWN_LATE_MS_MAX} at most.
 *
 *     known    what the latest read found is good still: calls are decided at once
 *     waited   it is not, and the next read has not failed yet: calls wait for it, as long as it may take
 *     away     the latest read failed: calls are refused as UNAVAILABLE until one succeeds
 *
 *     waited -> known    a read has succeeded          waited -> away   it has failed
 *     known  -> waited   reads take too long           known  -> away   they fail
 *     away   -> known    a read has succeeded
 *
 * There is no grace beyond that for keys that were good: without PostgreSQL nothing can be sold or read anyway, so that
 * it would serve nobody but whoever has a key that was just revoked. Nor are changes announced by NOTIFY: a pooler in
 * front of PostgreSQL passes none on, and one that was lost with its connection is not missed.
 */
import { Buffer } from "node:buffer";
import { timingSafeEqual } from "node:crypto";
import { settledWithin } from "../../base/bounded_wait.ts";
import type { KeyRow, KeysRead } from "../../store/statements/keys.ts";
import { errorSummary, type Log } from "../../telemetry/log.ts";
import type { Identity } from "../identity.ts";
import { isRight, withContained } from "../rights.ts";
import { type Credentials, UnauthenticatedError, type Verifier, VerifierUnavailableError } from "../verifier.ts";
import { KEY_PREFIX, keyHash, keyId } from "./key_text.ts";

/** How old what is known may be, from the start of its read. */
export const KNOWN_MS_MAX = 1000;
/** From the start of a read to the start of the next. */
const READ_EVERY_MS = 500;
/** A read is given up after this, and so is the wait for one. */
const READ_MS_MAX = 3000;
/** What was found is good for so long when it is there, however long the read took. */
const GOOD_MS_MIN = KNOWN_MS_MAX / 2;
/** How old what is known may be where reads are slow. */
export const KNOWN_LATE_MS_MAX = READ_MS_MAX + GOOD_MS_MIN;
/** An open stream goes on for so long while nothing can be read. */
const STREAM_MS_MAX = 10_000;
/** What a hash is compared with where there is no such key. Nothing has it. */
const NO_HASH = Buffer.alloc(32);
/** What is away, for whoever waits for it. */
const TABLE = "the table of keys";

/** What a table is made of. */
export interface KeyTableOptions {
  /** Reads the keys; see `readKeys`. */
  readonly read: (known: string | undefined, signal: AbortSignal) => Promise<KeysRead>;
  readonly log: Log;
  /** A clock that runs forward, in ms. */
  readonly nowMs?: () => number;
}

/** A key. */
interface Entry {
  readonly row: KeyRow;
  readonly hash: Buffer;
  /** By the table's clock; Infinity: never. */
  endsAt: number;
  readonly identity: Identity;
}

/** The table. It reads from when it is made until it is closed. */
export class KeyTable implements Verifier {
  readonly #options: KeyTableOptions;
  readonly #nowMs: () => number;
  readonly #byId = new Map<string, Entry>();
  /**
   * Those by the whole key that a call has brought, so that it is hashed once. At most one text of each: only what has
   * the hash is put here, and all of them are dropped when any key has changed.
   */
  readonly #verified = new Map<string, Entry>();
  #digest: string | undefined;
  /** The latest read that succeeded: when it began, and until when calls are decided by it. */
  #knownAt = -Infinity;
  #knownUntil = -Infinity;
  #isAway = false;
  /** The read under way, or the next one. Never rejects. */
  #read = Promise.withResolvers<void>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;

  constructor(options: KeyTableOptions) {
    this.#options = options;
    this.#nowMs = options.nowMs ?? (() => performance.now());
    void this.#readOn();
  }

  verify({ bearer }: Credentials): Identity | undefined | Promise<Identity> {
    if (bearer === undefined || !bearer.startsWith(KEY_PREFIX)) return undefined;
    const nowMs = this.#nowMs();
    if (this.#isKnown(nowMs)) return this.#identityOf(bearer, nowMs);
    return this.#known().then(() => this.#identityOf(bearer, this.#nowMs()));
  }

  /** Resolves where it is known which keys there are. @throws VerifierUnavailableError */
  async ping(): Promise<void> {
    if (!this.#isKnown()) await this.#known();
  }

  close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#read.resolve();
    return Promise.resolve();
  }

  #isKnown(nowMs = this.#nowMs()): boolean {
    return nowMs <= this.#knownUntil;
  }

  /** Waits until keys are known. @throws VerifierUnavailableError */
  async #known(): Promise<void> {
    if (!this.#isAway && !this.#isClosed) await settledWithin(this.#read.promise, READ_MS_MAX);
    if (!this.#isKnown()) throw new VerifierUnavailableError(TABLE);
  }

  /** @throws UnauthenticatedError */
  #identityOf(key: string, nowMs: number): Identity {
    const verified = this.#verified.get(key);
    if (verified !== undefined) return live(verified, nowMs);
    const id = keyId(key);
    if (id === undefined) throw new UnauthenticatedError("malformed");
    const entry = this.#byId.get(id);
    // As much is done for a key that there is not as for one that there is.
    const isSame = timingSafeEqual(keyHash(key), entry?.hash ?? NO_HASH);
    if (entry === undefined) throw new UnauthenticatedError("unknown", id);
    if (!isSame) throw new UnauthenticatedError("wrong_secret", id);
    const identity = live(entry, nowMs);
    this.#verified.set(key, entry);
    return identity;
  }

  /** Reads, and again in a while. */
  async #readOn(): Promise<void> {
    const startedAt = this.#nowMs();
    try {
      const read = await this.#options.read(this.#digest, AbortSignal.timeout(READ_MS_MAX));
      this.#take(read, startedAt);
      if (this.#isAway) this.#options.log.info({}, "the keys of callers can be read again");
      this.#isAway = false;
    } catch (error) {
      if (!this.#isAway && !this.#isClosed) {
        this.#options.log.warn({ error: errorSummary(error) }, "the keys of callers can't be read");
      }
      this.#isAway = true;
    }
    this.#read.resolve();
    if (this.#isClosed) return;
    this.#read = Promise.withResolvers();
    const waitMs = Math.max(0, startedAt + READ_EVERY_MS - this.#nowMs());
    this.#timer = setTimeout(() => void this.#readOn(), waitMs);
  }

  #take({ digest, keys }: KeysRead, startedAt: number): void {
    if (keys !== undefined) {
      const before = new Map(this.#byId);
      this.#byId.clear();
      this.#verified.clear();
      for (const row of keys) this.#byId.set(row.id, this.#entryOf(row, startedAt, before.get(row.id)));
      this.#digest = digest;
    }
    this.#knownAt = startedAt;
    this.#knownUntil = Math.max(startedAt + KNOWN_MS_MAX, this.#nowMs() + GOOD_MS_MIN);
  }

  /** The entry that there was, where it is the same still: its open streams go on. */
  #entryOf(row: KeyRow, startedAt: number, before: Entry | undefined): Entry {
    // PostgreSQL read its clock after the read began: a key is over too early by what the read took, never too late.
    const endsAt = startedAt + (row.endsInMs ?? Infinity);
    if (before !== undefined && isSameButForTime(before.row, row)) {
      before.endsAt = endsAt;
      return before;
    }
    const identity: Identity = {
      kind: "keys",
      name: row.name,
      rights: withContained(row.rights.filter(isRight)),
      isValid: () =>
        this.#byId.get(row.id) === entry && !row.isRevoked && this.#nowMs() < entry.endsAt &&
        this.#nowMs() - this.#knownAt <= STREAM_MS_MAX,
    };
    const entry: Entry = { row, hash: Buffer.from(row.sha256, "hex"), endsAt, identity };
    return entry;
  }
}

function live(entry: Entry, nowMs: number): Identity {
  if (entry.row.isRevoked) throw new UnauthenticatedError("revoked", entry.row.id);
  if (nowMs >= entry.endsAt) throw new UnauthenticatedError("expired", entry.row.id);
  return entry.identity;
}

function isSameButForTime(a: KeyRow, b: KeyRow): boolean {
  return a.sha256 === b.sha256 && a.name === b.name && a.isRevoked === b.isRevoked &&
    a.rights.join() === b.rights.join();
}
