/**
 * The reasons that a write may give. None is ever taken away, so those that were read once are known for good; whether
 * one that is not known has been added since is read each time.
 */
import { NEVER } from "../base/never.ts";
import { readAgain, writeAgain } from "../lanes/again.ts";
import { CoalescedReads, readFor } from "../lanes/coalesced_reads.ts";
import { failureOf } from "../lanes/failure.ts";
import type { Reason } from "../store/statements/reasons.ts";
import type { Store } from "../store/store.ts";

/** What the code of a reason looks like. */
export const REASON_PATTERN = /^[a-z][a-z0-9_]{0,31}$/;
/** Reasons that there may be. */
export const REASONS_MAX = 1000;
/** Two that were added at once may be one too many. */
const READ_MAX = 2 * REASONS_MAX;
/** Attempts to add one that another adds at the same time. */
const ATTEMPTS_MAX = 3;

/** The reasons as decoding sees them. */
export type KnownReasons = Pick<Reasons, "isKnown" | "codes">;

/** What became of adding a reason. */
export type AddedReason =
  | { readonly ok: true; readonly reason: Reason }
  /** As it was there already, with another description; undefined: there are too many. */
  | { readonly ok: false; readonly known: Reason | undefined };

/** The reasons, as calls ask for them. Throws Failure, or the signal's reason. */
export class Reasons {
  readonly #store: Pick<Store, "addReason">;
  readonly #known = new Set<string>();
  /** All of them under one key, so that calls which come together read them once. */
  readonly #reads: CoalescedReads<"all", readonly Reason[]>;

  constructor(store: Pick<Store, "readReasons" | "addReason">, { waitingMax }: { readonly waitingMax: number }) {
    this.#store = store;
    this.#reads = new CoalescedReads(
      async () => new Map([["all", await readAgain(() => store.readReasons(READ_MAX, NEVER))]]),
      { readsMax: 1, keysMax: 1, waitingMax },
    );
  }

  /** Whether the process knows of this reason. */
  isKnown(code: string): boolean {
    return this.#known.has(code);
  }

  /** Whether there may be such a reason without the process knowing of it: then it has to be read. */
  isUnread(code: string): boolean {
    return !this.#known.has(code) && REASON_PATTERN.test(code);
  }

  /** The reasons that the process knows of, by code. */
  get codes(): string[] {
    return [...this.#known].sort();
  }

  /** All reasons, by code, as of now or later; they are known from then on. */
  async read(signal: AbortSignal, address?: string): Promise<readonly Reason[]> {
    const reasons = (await readFor(this.#reads.get(["all"], address), signal)).get("all")!;
    for (const { code } of reasons) this.#known.add(code);
    return reasons;
  }

  /** Adds a reason, once: a retry finds what is there. */
  async add(reason: Reason, signal: AbortSignal): Promise<AddedReason> {
    try {
      return await writeAgain(() => this.#add(reason, signal), (added) => !added.ok && added.known === undefined);
    } catch (error) {
      signal.throwIfAborted();
      throw failureOf(error);
    }
  }

  /** What adding it would come to now; it changes nothing. */
  async wouldAdd(reason: Reason, signal: AbortSignal, address?: string): Promise<AddedReason> {
    const reasons = await this.read(signal, address);
    const known = reasons.find(({ code }) => code === reason.code);
    if (known === undefined) return reasons.length < REASONS_MAX ? { ok: true, reason } : { ok: false, known };
    return known.description === reason.description ? { ok: true, reason: known } : { ok: false, known };
  }

  async #add(reason: Reason, signal: AbortSignal): Promise<AddedReason> {
    for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt++) {
      const known = await this.#store.addReason(reason, REASONS_MAX, signal);
      if (known === undefined) continue;
      this.#known.add(known.code);
      return known.description === reason.description ? { ok: true, reason: known } : { ok: false, known };
    }
    return { ok: false, known: undefined };
  }
}
