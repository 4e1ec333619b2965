/**
 * grpc.health.v1: whether this server takes work, for load balancers, probes and gRPC clients.
 * It knows neither what the services do, nor why they are up or down: it puts on the wire what the board says.
 */
import { Code, ConnectError, type ServiceImpl } from "@connectrpc/connect";
import { AddressPlaces, callerAddress } from "../../transport/addresses.ts";
import { leavingOf } from "../../transport/leaving.ts";
import { type HealthBoard, WATCHERS_MAX } from "../../health/board.ts";
import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  Health,
  HealthCheckResponse_ServingStatus as ServingStatus,
  type HealthCheckResponseSchema,
} from "../../gen/health/v1/health_pb.ts";
import { ANYONE } from "../../auth/rights.ts";
import { type MethodRules, type ServiceModule, serviceModule } from "../service_module.ts";

/** Longest request, in bytes; it contains one service name. */
export const HEALTH_REQUEST_BYTES_MAX = 4096;
/** Balancers and probes ask without credentials. */
const RULES: MethodRules = { right: ANYONE, bounds: { bytesMax: HEALTH_REQUEST_BYTES_MAX, counts: [] } };

/**
 * grpc.health.v1.Health from the board.
 *
 * Check answers NOT_FOUND for a name that is not on the board, Watch answers SERVICE_UNKNOWN and waits for it to
 * come. Watch beyond {@link WATCHERS_MAX} streams, or beyond `addressShare` of them for one address, or a request
 * beyond {@link HEALTH_REQUEST_BYTES_MAX}, is RESOURCE_EXHAUSTED.
 */
export function healthModule(board: HealthBoard, addressShare = 1): ServiceModule {
  return serviceModule({
    service: Health,
    handlers: createHealthService(board, addressShare),
    methods: { check: RULES, watch: RULES, list: RULES },
    drainExempt: true,
    healthListed: false,
    reflected: "listed",
  });
}

function createHealthService(board: HealthBoard, addressShare: number): ServiceImpl<typeof Health> {
  const places = new AddressPlaces(WATCHERS_MAX, addressShare);
  return {
    check({ service }) {
      const status = board.get(service);
      if (status === undefined) throw new ConnectError("unknown service", Code.NotFound);
      return { status: ServingStatus[status] };
    },
    async *watch({ service }, { signal, values }) {
      const leave = places.take(callerAddress(values));
      if (leave === undefined) throw new ConnectError("too many health watches of one address", Code.ResourceExhausted);
      try {
        yield* watch(board, service, signal, leavingOf(values).signal);
      } finally {
        leave();
      }
    },
    list() {
      const entries = [...board.statuses].map(([service, status]) => [service, { status: ServingStatus[status] }]);
      return { statuses: Object.fromEntries(entries) };
    },
  };
}

/**
 * The status of one service now and after each change, until the client goes away, its connection is to end, or the
 * board is closed.
 *
 * There is no queue: whatever changes while the client is slow to read comes down to the status that it finds
 * when it is ready, and nothing if that is the one it knows.
 */
async function* watch(
  board: HealthBoard,
  service: string,
  signal: AbortSignal,
  leaving: AbortSignal,
): AsyncGenerator<MessageInitShape<typeof HealthCheckResponseSchema>> {
  let wake = Promise.withResolvers<void>();
  const onWake = () => wake.resolve();
  const unsubscribe = board.subscribe(onWake);
  if (unsubscribe === undefined) throw new ConnectError("too many health watches", Code.ResourceExhausted);
  signal.addEventListener("abort", onWake);
  leaving.addEventListener("abort", onWake);
  try {
    let last: ServingStatus | undefined;
    while (!signal.aborted) {
      // Renewed before the board is read, so that a change during the yield below is not slept through.
      wake = Promise.withResolvers<void>();
      const { closed } = board;
      const status = ServingStatus[board.get(service) ?? "SERVICE_UNKNOWN"];
      if (status !== last) yield { status };
      last = status;
      if (closed || leaving.aborted) return;
      if (!signal.aborted) await wake.promise;
    }
  } finally {
    signal.removeEventListener("abort", onWake);
    leaving.removeEventListener("abort", onWake);
    unsubscribe();
  }
}
