/**
 * Has whatever streams over a connection know when its peer is asked to go, so that a stream ends while there is still
 * somebody to hear how to go on. Unary calls end by themselves, and soon.
 */
import { type ContextValues, createContextKey } from "@connectrpc/connect";
import { NEVER } from "../base/never.ts";
import { callerValues } from "./addresses.ts";

/** By what carries requests: the socket of HTTP/1, above TLS where there is TLS, or the session of HTTP/2. */
const byCarrier = new WeakMap<object, AbortController>();

const leavingKey = createContextKey<AbortSignal>(NEVER, { description: "aborts when the connection is to end" });

/** The peer of a carrier was asked to go: what streams over it hears of it, now or when it begins. */
export function endStreams(carrier: object): void {
  controllerOf(carrier).abort();
}

/** Context values of a stream from the address with this key, by the carrier of its request, if that is left. */
export function streamValues(address: string, carrier: object | undefined): ContextValues {
  const values = callerValues(address);
  return carrier === undefined ? values : values.set(leavingKey, controllerOf(carrier).signal);
}

/** Aborts when the peer of a stream's connection is asked to go; never for one that came over no listener. */
export function leavingOf(values: ContextValues): AbortSignal {
  return values.get(leavingKey);
}

function controllerOf(carrier: object): AbortController {
  let controller = byCarrier.get(carrier);
  if (controller === undefined) byCarrier.set(carrier, controller = new AbortController());
  return controller;
}
