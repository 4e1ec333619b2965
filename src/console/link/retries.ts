/**
 * Sends again what the server did not do and asks to be sent again: what comes with `RetryInfo`. Whether it was done is
 * never unknown then; where it is, its reader decides, and sends the same under the same id.
 */
import { ConnectError, type Interceptor } from "@connectrpc/connect";
import { ErrorInfoSchema, RetryInfoSchema } from "../../gen/google/rpc/error_details_pb.ts";

/** A call is sent so often at most. */
const SENT_MAX = 4;
/** A server that asks for a longer wait has its error shown, in ms. */
const WAIT_MS_MAX = 2_000;
const OUTCOME_UNKNOWN = "OUTCOME_UNKNOWN";

/** For calls that are no streams; `random` is from 0 to 1. */
export function retrying(random: () => number = Math.random): Interceptor {
  return (next) => async (request) => {
    if (request.stream) return await next(request);
    for (let sent = 1;; sent++) {
      try {
        return await next(request);
      } catch (error) {
        const waitMs = waitOf(error);
        if (waitMs === undefined || sent >= SENT_MAX || request.signal.aborted) throw error;
        await wait(waitMs * (1 + random()), request.signal);
      }
    }
  };
}

/** How long the server asks to wait before the same is sent again; undefined: it is not to be sent by itself. */
function waitOf(error: unknown): number | undefined {
  const connect = ConnectError.from(error);
  const delay = connect.findDetails(RetryInfoSchema)[0]?.retryDelay;
  if (delay === undefined) return undefined;
  if (connect.findDetails(ErrorInfoSchema).some(({ reason }) => reason === OUTCOME_UNKNOWN)) return undefined;
  const ms = Number(delay.seconds) * 1000 + delay.nanos / 1e6;
  return ms > WAIT_MS_MAX ? undefined : ms;
}

/** Waits, or ends early with the call. */
function wait(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    }, { once: true });
  });
}
