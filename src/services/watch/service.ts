/** inventory.v1.WatchService: decodes a request, and encodes the events of its stream as they come. */
import { Code, ConnectError, type HandlerContext } from "@connectrpc/connect";
import { WatchService } from "../../gen/inventory/v1/watch_pb.ts";
import type { Lists } from "../../inventory/lists.ts";
import type { ListReads } from "../../lanes/list_reads.ts";
import { detailedError, info } from "../../rpc/errors.ts";
import { callerAddress } from "../../transport/addresses.ts";
import { leavingOf } from "../../transport/leaving.ts";
import type { PastReads } from "../../watch/catch_up.ts";
import type { InvReads } from "../../watch/inv_stream.ts";
import { ResumeFaultError } from "../../watch/movement_stream.ts";
import type { Watching } from "../../watch/watching.ts";
import type { BoundSettings } from "../bounds.ts";
import { throwReadError } from "../read_errors.ts";
import { type ServiceModule, serviceModule } from "../service_module.ts";
import type { SkusOf } from "../sku_look_up.ts";
import { decodeWatchInv, decodeWatchMovements } from "./decode.ts";
import { invMessage, movementsMessage } from "./encode.ts";
import { watchMethods } from "./methods.ts";

/** What the service is made of. */
export interface WatchServiceOptions {
  readonly watching: Watching;
  readonly lists: Pick<Lists, "levels">;
  readonly past: PastReads;
  /** Gives each read of a stream its turn among those of lists. */
  readonly reads: ListReads;
  readonly skusOf: SkusOf;
}

const REASONS = { other_database: "RESUME_TOKEN_FOREIGN", past_gone: "RESUME_TOKEN_GONE" } as const;

/** The service; its handlers throw ConnectError only, for whatever the caller can know. */
export function watchModule(
  { watching, lists, past, reads, skusOf }: WatchServiceOptions,
  settings: Pick<BoundSettings, "requestBytesMax">,
): ServiceModule {
  const readsOf = ({ values }: HandlerContext): InvReads => {
    const address = callerAddress(values);
    return {
      levels: (query, page, signal) => reads.run((ended) => lists.levels(query, page, ended), signal, address),
      scan: (query, signal) => reads.run((ended) => past.scan(query, ended), signal, address),
      versions: (ranges, limit, signal) => reads.run((ended) => past.versions(ranges, limit, ended), signal, address),
      isThere: (witness, signal) => reads.run((ended) => past.isThere(witness, ended), signal, address),
    };
  };
  return serviceModule({
    service: WatchService,
    handlers: {
      watchInv(request, context) {
        return streamed(context.signal, async () => {
          const skus = skusOf(request.skus.map((sku) => ({ sku })), context);
          const { ask, stream } = decodeWatchInv(request, skus && await skus);
          const isJson = context.requestHeader.get("content-type")?.includes("json") === true;
          return {
            events: watching.inv(ask, readsOf(context), context.signal, leavingOf(context.values)),
            messageOf: (event) => invMessage(stream, event, isJson),
          };
        });
      },

      watchMovements(request, context) {
        return streamed(context.signal, async () => {
          const skus = skusOf(request.skus.map((sku) => ({ sku })), context);
          const { ask, stream } = decodeWatchMovements(request, skus && await skus);
          return {
            events: watching.movements(ask, readsOf(context), context.signal, leavingOf(context.values)),
            messageOf: (event) => movementsMessage(stream, event),
          };
        });
      },
    },
    methods: watchMethods(settings),
    drainExempt: false,
    healthListed: true,
    reflected: "listed",
  });
}

/** A stream that was asked for, and what its events are as messages. */
interface Opened<E, M> {
  readonly events: AsyncIterable<E>;
  readonly messageOf: (event: E) => M;
}

/**
 * The messages of a stream, with what ends it in words of the wire. `open` reads the request, and throws ConnectError.
 * One generator for all of that: each costs every message some turns of promises.
 */
async function* streamed<E, M>(signal: AbortSignal, open: () => Promise<Opened<E, M>>): AsyncGenerator<M> {
  const { events, messageOf } = await open();
  try {
    for await (const event of events) yield messageOf(event);
    throwDeadline(signal);
  } catch (error) {
    throwDeadline(signal);
    if (signal.aborted) return;
    if (error instanceof ResumeFaultError) {
      throw detailedError(Code.FailedPrecondition, `the resume_token can't be gone on from: ${error.message}`, [
        info(REASONS[error.fault], {}),
      ]);
    }
    throwReadError(error);
  }
}

/** A stream that ends at its caller's deadline says so: Connect only raises the signal. */
function throwDeadline({ reason }: AbortSignal): void {
  if (reason instanceof ConnectError && reason.code === Code.DeadlineExceeded) throw reason;
}
