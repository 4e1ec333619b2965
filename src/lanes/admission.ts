/** How much may be under way or wait, in all and for one address, so that nobody fills it up for the others. */
import { Failure } from "./failure.ts";
import type { LanesLimits } from "./lanes_limits.ts";

/** Bounds of a capacity. */
export interface CapacityLimits {
  readonly max: number;
  /** Of one address; one call of it may have more where it has nothing else there. */
  readonly addressMax: number;
}

/** What is taken of a capacity. */
export class Capacity {
  readonly #limits: CapacityLimits;
  readonly #full: (max: number, whose: string) => string;
  readonly #byAddress = new Map<string, number>();
  #taken = 0;

  /** `full` says that there are as many as there may be; `whose` is nothing, or " of one address". */
  constructor(limits: CapacityLimits, full: (max: number, whose: string) => string) {
    this.#limits = limits;
    this.#full = full;
  }

  get taken(): number {
    return this.#taken;
  }

  /**
   * Takes a place for so many. Without an address, from within the process, only the total counts. Answers why there is
   * none.
   */
  take(count: number, address?: string): Failure | undefined {
    const { max, addressMax } = this.#limits;
    const own = address === undefined ? 0 : this.#byAddress.get(address) ?? 0;
    if (own > 0 && own + count > addressMax) {
      return new Failure("queue_full", this.#full(addressMax, " of one address"));
    }
    if (this.#taken + count > max) return new Failure("queue_full", this.#full(max, ""));
    this.#taken += count;
    if (address !== undefined) this.#byAddress.set(address, own + count);
    return undefined;
  }

  /** Frees what was taken. */
  free(count: number, address?: string): void {
    this.#taken -= count;
    if (address === undefined) return;
    const left = this.#byAddress.get(address)! - count;
    if (left > 0) this.#byAddress.set(address, left);
    else this.#byAddress.delete(address);
  }
}

/** Which operations are admitted: so many under way at a time, and so many lines of theirs. */
export class Admission {
  readonly #operations: Capacity;
  readonly #linesMax: number;
  #lines = 0;

  constructor({ operationsMax: max, operationsPerAddressMax: addressMax = max, linesMax }: LanesLimits) {
    this.#operations = new Capacity({ max, addressMax }, (count, whose) => `${count} operations${whose} are under way`);
    this.#linesMax = linesMax;
  }

  get operations(): number {
    return this.#operations.taken;
  }

  /** Takes a place for one operation of so many lines; one alone always has it. Answers why there is none. */
  take(lines: number, address?: string): Failure | undefined {
    const full = this.#operations.take(1, address);
    if (full !== undefined) return full;
    if (this.operations > 1 && this.#lines + lines > this.#linesMax) {
      this.#operations.free(1, address);
      return new Failure("queue_full", `operations of ${this.#lines} lines are under way`);
    }
    this.#lines += lines;
    return undefined;
  }

  /** Frees what was taken. */
  free(lines: number, address?: string): void {
    this.#operations.free(1, address);
    this.#lines -= lines;
  }
}
