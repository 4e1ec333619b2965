/**
 * Has whatever streams over a connection know when its peer is asked to go, so that a stream ends while there is still
 * somebody to hear how to go on. Unary calls end by themselves, and soon.
 */
import { type ContextValues, createContextKey } from "@connectrpc/connect";
import { type Leaving, NEVER_LEFT } from "../base/leaving.ts";
import { callerValues } from "./addresses.ts";

/** The streams of one connection. */
interface Carried {
  readonly leaving: AbortController;
  stays: number;
}

/** By what carries requests: the socket of HTTP/1, above TLS where there is TLS, or the session of HTTP/2. */
const byCarrier = new WeakMap<object, Carried>();

const leavingKey = createContextKey<Leaving>(NEVER_LEFT, { description: "when the connection is to end" });

/** The peer of a carrier was asked to go: what streams over it hears of it, now or when it begins. */
export function endStreams(carrier: object): void {
  carriedBy(carrier).leaving.abort();
}

/** Whether a stream over it has to come to an end of its own first. */
export function isStayedOn(carrier: object): boolean {
  return (byCarrier.get(carrier)?.stays ?? 0) > 0;
}

/** Context values of a stream from the address with this key, by the carrier of its request, if that is left. */
export function streamValues(address: string, carrier: object | undefined): ContextValues {
  const values = callerValues(address);
  if (carrier === undefined) return values;
  const carried = carriedBy(carrier);
  return values.set(leavingKey, { signal: carried.leaving.signal, stay: () => stayOn(carried) });
}

/** When the peer of a stream's connection is asked to go; never for one that came over no listener. */
export function leavingOf(values: ContextValues): Leaving {
  return values.get(leavingKey);
}

function stayOn(carried: Carried): () => void {
  let isOver = false;
  carried.stays++;
  return () => {
    if (!isOver) carried.stays--;
    isOver = true;
  };
}

function carriedBy(carrier: object): Carried {
  let carried = byCarrier.get(carrier);
  if (carried === undefined) byCarrier.set(carrier, carried = { leaving: new AbortController(), stays: 0 });
  return carried;
}
