/**
 * Which services take work, and who wants to know when that changes. No I/O: whoever knows why sets it on the board.
 *
 *     open    --leave--> leaving    NOT_SERVING for good, while calls are still served
 *     leaving --close--> closed     every Watch ends, and calls are refused
 *     open    --close--> closed
 */

/** Most services on one board, "" included; so a List answer is bounded as well. */
export const SERVICES_MAX = 100;

/** Most Watch streams at a time, over all clients. A gRPC client with health checks has one per connection. */
export const WATCHERS_MAX = 1000;

/** What can be said of a service. A name that is not on the board has no status. */
export type HealthStatus = "SERVING" | "NOT_SERVING";

/** Something that the server needs, as it was last looked at. */
export interface DependencyState {
  readonly name: string;
  readonly ready: boolean;
  /** Why it is not, in one bounded line; undefined: it is. */
  readonly reason: string | undefined;
}

/** What the board says of the server as a whole. */
export interface HealthView {
  readonly ready: boolean;
  /** It was asked to stop, whatever it needs is there or not. */
  readonly leaving: boolean;
  /** It takes no new calls any more. */
  readonly closed: boolean;
  readonly dependencies: readonly DependencyState[];
}

/** The name under which the protocol asks for the server as a whole. */
const WHOLE_SERVER = "";

/** The status of each service, and the callbacks of those who want to know when anything changes. */
export class HealthBoard {
  readonly #statuses = new Map<string, HealthStatus>();
  readonly #subscribers = new Set<() => void>();
  #leaving = false;
  #closed = false;
  #dependencies: readonly DependencyState[] = [];

  /**
   * Starts with every service, and the server as a whole, at NOT_SERVING: nothing is up before it says so.
   *
   * @param services full names, such as `inventory.v1.InventoryService`; "" is added.
   * @throws RangeError if there are more than {@link SERVICES_MAX}.
   */
  constructor(services: readonly string[]) {
    for (const service of [WHOLE_SERVER, ...services]) this.setService(service, "NOT_SERVING");
  }

  /** Whether {@link close} was called. */
  get closed(): boolean {
    return this.#closed;
  }

  /** The server as a whole, as it is now. */
  get view(): HealthView {
    return {
      ready: this.get(WHOLE_SERVER) === "SERVING",
      leaving: this.#leaving,
      closed: this.#closed,
      dependencies: this.#dependencies,
    };
  }

  /** Number of current subscribers. */
  get subscribers(): number {
    return this.#subscribers.size;
  }

  /** Names and statuses as they are now, "" included. */
  get statuses(): ReadonlyMap<string, HealthStatus> {
    return this.#statuses;
  }

  /** The status of a service, `undefined` for a name that is not on the board. */
  get(service: string): HealthStatus | undefined {
    return this.#statuses.get(service);
  }

  /** Sets every service and the server as a whole. After {@link leave} it does nothing. */
  set(status: HealthStatus): void {
    if (this.#leaving || [...this.#statuses.values()].every((current) => current === status)) return;
    for (const service of this.#statuses.keys()) this.#statuses.set(service, status);
    this.#notify();
  }

  /** What the server's status stands on, as it was just looked at. */
  setDependencies(dependencies: readonly DependencyState[]): void {
    this.#dependencies = dependencies;
  }

  /**
   * Sets one service, and puts it on the board if it is new. After {@link leave} it does nothing.
   *
   * @throws RangeError if a new name would make more than {@link SERVICES_MAX}.
   */
  setService(service: string, status: HealthStatus): void {
    if (this.#leaving) return;
    if (!this.#statuses.has(service) && this.#statuses.size >= SERVICES_MAX) {
      throw new RangeError(`Cannot add service "${service}" to the health board: it holds ${SERVICES_MAX} already`);
    }
    this.#statuses.set(service, status);
    this.#notify();
  }

  /**
   * Has `onChange` called after each change of any service, and on {@link close}. It must be quick and not throw.
   *
   * Returns the function that ends this, or `undefined` if there are {@link WATCHERS_MAX} subscribers already.
   */
  subscribe(onChange: () => void): (() => void) | undefined {
    if (this.#subscribers.size >= WATCHERS_MAX) return undefined;
    // A function of our own, as the same callback may be given twice and must then be counted twice.
    const subscriber = () => onChange();
    this.#subscribers.add(subscriber);
    return () => void this.#subscribers.delete(subscriber);
  }

  /** For shutdown: everything is NOT_SERVING from here on, which every Watch says. */
  leave(): void {
    this.set("NOT_SERVING");
    this.#leaving = true;
  }

  /** As {@link leave}, and every Watch ends after it has said so. */
  close(): void {
    this.leave();
    this.#closed = true;
    this.#notify();
  }

  #notify(): void {
    for (const subscriber of [...this.#subscribers]) subscriber();
  }
}
