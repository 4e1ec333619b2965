/**
 * The deadline that a call's header asks for. One beyond the server's own limit is cut to that: a caller's patience is no
 * error. Cut before anything reads it, as a timer of more than 2^31 ms goes off at once.
 */
import { headerTimeout as connectHeader, parseTimeout as parseConnect } from "@connectrpc/connect/protocol-connect";
import { headerTimeout as grpcHeader, parseTimeout as parseGrpc } from "@connectrpc/connect/protocol-grpc";

/** The longest that a timer takes, in ms. */
const TIMER_MS_MAX = 2 ** 31 - 1;
/** Of a number in grpc-timeout. */
const GRPC_DIGITS_MAX = 99_999_999;

/** Cuts the deadlines in the header to `msMax`. What is no deadline is left as it is, to be refused by whoever reads it. */
export function cutTimeouts(header: Headers, msMax: number = TIMER_MS_MAX): void {
  if (isAbove(parseGrpc(header.get(grpcHeader), msMax), msMax)) header.set(grpcHeader, grpcTimeout(msMax));
  if (isAbove(parseConnect(header.get(connectHeader), msMax), msMax)) header.set(connectHeader, `${msMax}`);
}

/** A time as grpc-timeout has it: in microseconds where they fit; in whole seconds, more than a day, never above it. */
export function grpcTimeout(ms: number): string {
  const us = Math.max(0, Math.ceil(ms * 1000));
  if (us <= GRPC_DIGITS_MAX) return `${us}u`;
  return ms <= GRPC_DIGITS_MAX ? `${Math.ceil(ms)}m` : `${Math.floor(ms / 1000)}S`;
}

/** The deadline in the header of a call of that content type, in ms; undefined where there is none that can be read. */
export function timeoutMs(header: Headers): number | undefined {
  const isGrpc = header.get("content-type")?.toLowerCase().startsWith("application/grpc") === true;
  const { timeoutMs, error } = isGrpc
    ? parseGrpc(header.get(grpcHeader), Infinity)
    : parseConnect(header.get(connectHeader), Infinity);
  return error === undefined ? timeoutMs : undefined;
}

function isAbove({ timeoutMs }: { timeoutMs?: number }, msMax: number): boolean {
  return timeoutMs !== undefined && timeoutMs > msMax;
}
