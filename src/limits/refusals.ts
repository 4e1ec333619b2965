/** What calls over a limit are answered: before anything of them is begun, and with when to come again. */
import { Code, type ConnectError } from "@connectrpc/connect";
import { detailedError, info, retryInfo } from "../rpc/errors.ts";
import type { StreamsPassed } from "./stream_places.ts";

/** Why a call did not go on. */
export type LimitPassed = "rate" | "calls" | "loop_delay" | StreamsPassed;

/** When the next call may come where a place has to become free, in ms. */
const PLACE_MS = 100;
/** When a stream may be asked for again, at the soonest, in ms: places become free as streams end for their age. */
const STREAM_PLACE_MS = 2_000;
/** Of those that are shed each is asked to wait for one of these, in ms, so that they don't all come back at once. */
const SHED_MS = [500, 700, 900, 1100, 1300, 1500, 1700, 1900];

/** More calls in a second than one identity may make. */
export function rateError(callsPerSecondMax: number, afterMs: number): ConnectError {
  return detailedError(Code.ResourceExhausted, `more than ${callsPerSecondMax} calls a second of one caller`, [
    info("CALLER_RATE", { calls_per_s_max: `${callsPerSecondMax}` }),
    retryInfo(afterMs),
  ]);
}

/** More calls under way than one identity may have. */
export function callsError(callsMax: number): ConnectError {
  return detailedError(Code.ResourceExhausted, `${callsMax} calls of one caller are under way`, [
    info("CALLER_CALLS", { calls_max: `${callsMax}` }),
    retryInfo(PLACE_MS),
  ]);
}

/** As many streams are open as may be: of one identity, or of one address or all together. */
export function streamsError(passed: StreamsPassed, chance: number): ConnectError {
  const isOfIdentity = passed === "identity_streams";
  return detailedError(
    Code.ResourceExhausted,
    isOfIdentity ? "too many streams of one caller are open" : "too many streams are open, of one address or of all",
    [
      isOfIdentity ? info("CALLER_STREAMS", {}) : info("STREAMS", {}),
      retryInfo(STREAM_PLACE_MS * (1 + chance)),
    ],
  );
}

const SHED = SHED_MS.map((afterMs) =>
  detailedError(Code.ResourceExhausted, "this server has more to do than it can", [
    info("OVERLOADED", {}),
    retryInfo(afterMs),
  ])
);

/** The server does not get through its work. Made before they are needed, as they are to cost little. */
export function shedError(chance: number): ConnectError {
  return SHED[Math.floor(chance * SHED.length)]!;
}
