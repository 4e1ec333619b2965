/**
 * grpc.health.v1: whether this server takes work, for load balancers, probes and gRPC clients.
 *
 * The board holds the state and is free of I/O; `registerHealth` puts it on the wire. Neither knows what the
 * services do, nor why they are up or down: whoever knows tells the board.
 */
import { Code, ConnectError, type ConnectRouter, type ServiceImpl } from "@connectrpc/connect";
import { AddressPlaces } from "./address_places.ts";
import { callerAddress } from "./caller_address.ts";
import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  Health,
  HealthCheckResponse_ServingStatus as ServingStatus,
  type HealthCheckResponseSchema,
} from "../gen/health/v1/health_pb.ts";

/** Most services on one board, "" included; so a List answer is bounded as well. */
export const SERVICES_MAX = 100;

/** Most Watch streams at a time, over all clients. A gRPC client with health checks holds one per connection. */
export const WATCHERS_MAX = 1000;

/** Longest request, in bytes; it holds one service name. */
export const HEALTH_REQUEST_BYTES_MAX = 4096;

/** What can be said of a service. A name that is not on the board has no status. */
export type HealthStatus = "SERVING" | "NOT_SERVING";

/** The name under which the protocol asks for the server as a whole. */
const WHOLE_SERVER = "";

/** The status of each service, and the callbacks of those who want to know when anything changes. */
export class HealthBoard {
  readonly #statuses = new Map<string, HealthStatus>();
  readonly #subscribers = new Set<() => void>();
  #closed = false;

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

  /** Sets every service and the server as a whole. After {@link close} it does nothing. */
  set(status: HealthStatus): void {
    if (this.#closed || [...this.#statuses.values()].every((current) => current === status)) return;
    for (const service of this.#statuses.keys()) this.#statuses.set(service, status);
    this.#notify();
  }

  /**
   * Sets one service, and puts it on the board if it is new. After {@link close} it does nothing.
   *
   * @throws RangeError if a new name would make more than {@link SERVICES_MAX}.
   */
  setService(service: string, status: HealthStatus): void {
    if (this.#closed) return;
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

  /** For shutdown: everything is NOT_SERVING from here on, and every Watch ends after it has said so. */
  close(): void {
    this.set("NOT_SERVING");
    this.#closed = true;
    this.#notify();
  }

  #notify(): void {
    for (const subscriber of [...this.#subscribers]) subscriber();
  }
}

/**
 * Serves grpc.health.v1.Health from the board.
 *
 * Check answers NOT_FOUND for a name that is not on the board, Watch answers SERVICE_UNKNOWN and waits for it to
 * come. Watch beyond {@link WATCHERS_MAX} streams, or beyond `addressShare` of them for one address, or a request beyond {@link HEALTH_REQUEST_BYTES_MAX}, is
 * RESOURCE_EXHAUSTED.
 */
export function registerHealth(router: ConnectRouter, board: HealthBoard, addressShare = 1): void {
  const places = new AddressPlaces(WATCHERS_MAX, addressShare);
  const health: ServiceImpl<typeof Health> = {
    check({ service }) {
      const status = board.get(service);
      if (status === undefined) throw new ConnectError("unknown service", Code.NotFound);
      return { status: ServingStatus[status] };
    },
    async *watch({ service }, { signal, values }) {
      const leave = places.take(callerAddress(values));
      if (leave === undefined) throw new ConnectError("too many health watches of one address", Code.ResourceExhausted);
      try {
        yield* watch(board, service, signal);
      } finally {
        leave();
      }
    },
    list() {
      const entries = [...board.statuses].map(([service, status]) => [service, { status: ServingStatus[status] }]);
      return { statuses: Object.fromEntries(entries) };
    },
  };
  router.service(Health, health, { readMaxBytes: HEALTH_REQUEST_BYTES_MAX });
}

/**
 * The status of one service now and after each change, until the client goes away or the board is closed.
 *
 * There is no queue: whatever changes while the client is slow to read comes down to the status that it finds
 * when it is ready, and nothing if that is the one it knows.
 */
async function* watch(
  board: HealthBoard,
  service: string,
  signal: AbortSignal,
): AsyncGenerator<MessageInitShape<typeof HealthCheckResponseSchema>> {
  let wake = Promise.withResolvers<void>();
  const onWake = () => wake.resolve();
  const unsubscribe = board.subscribe(onWake);
  if (unsubscribe === undefined) throw new ConnectError("too many health watches", Code.ResourceExhausted);
  signal.addEventListener("abort", onWake);
  try {
    let told: ServingStatus | undefined;
    while (!signal.aborted) {
      // Renewed before the board is read, so that a change during the yield below is not slept through.
      wake = Promise.withResolvers<void>();
      const { closed } = board;
      const status = ServingStatus[board.get(service) ?? "SERVICE_UNKNOWN"];
      if (status !== told) yield { status };
      told = status;
      if (closed) return;
      if (!signal.aborted) await wake.promise;
    }
  } finally {
    signal.removeEventListener("abort", onWake);
    unsubscribe();
  }
}
