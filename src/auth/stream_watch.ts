/**
 * Streams outlive the moment at which it was decided who calls: one whose identity is no longer good is ended, with the
 * next message and at the latest within {@link LOOK_EVERY_MS}. Unary calls end by themselves, and soon.
 */
import type { ContextValues, Interceptor } from "@connectrpc/connect";
import { EarlyEnd } from "../base/early_end.ts";
import { identityOf } from "./caller.ts";
import type { Identity } from "./identity.ts";

/** How often a stream is looked at. */
export const LOOK_EVERY_MS = 250;

type Next = Parameters<Interceptor>[0];

/** Says why a stream ends: the error that its caller gets. */
export type EndedBy = (identity: Identity, method: string, values: ContextValues) => Error;

/** Ends streams whose caller's identity is no longer good. */
export function watchStreams(endedBy: EndedBy): Interceptor {
  return (next) => (request) => {
    // What has ended before it begins, as by a deadline of 0, hears of no end any more.
    const isOpen = request.stream && !request.signal.aborted;
    const identity = isOpen ? identityOf(request.contextValues) : undefined;
    return identity === undefined ? next(request) : watchStream(next, request, identity, endedBy);
  };
}

async function watchStream(next: Next, request: Parameters<Next>[0], identity: Identity, endedBy: EndedBy) {
  const end = new EarlyEnd();
  const look = () => {
    if (end.isEnded || identity.isValid()) return;
    end.end(endedBy(identity, `${request.service.typeName}/${request.method.name}`, request.contextValues));
  };
  const timer = setInterval(look, LOOK_EVERY_MS);
  // It aborts at the end of every call, whatever the end is.
  request.signal.addEventListener("abort", () => clearInterval(timer), { once: true });
  const response = await end.before(next(request));
  return response.stream ? { ...response, message: watched(response.message, end, look) } : response;
}

async function* watched<T>(messages: AsyncIterable<T>, end: EarlyEnd, look: () => void): AsyncGenerator<T> {
  const source = messages[Symbol.asyncIterator]();
  try {
    for (;;) {
      const { value, done } = await end.before(source.next());
      if (done) return;
      look();
      end.throwIfEnded();
      yield value;
    }
  } finally {
    // Not waited for: a message that is being made may never come.
    source.return?.()?.catch(() => {});
  }
}
