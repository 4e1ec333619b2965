/**
 * The handler of a unary method behind its interceptors, put together once. Connect puts them together anew for each
 * call, and copies three times what is known of it: 2 of the 31 kB that a call allocated which does nothing.
 */
import { create, type DescMessage, type MessageShape } from "@bufbuild/protobuf";
import type { HandlerContext, Interceptor, MethodImplSpec, UnaryRequest, UnaryResponse } from "@connectrpc/connect";
import { invariant } from "../base/invariant.ts";

/** A method with one message in and one out. */
export type UnarySpec = MethodImplSpec & { readonly kind: "unary" };

/** One call: as interceptors see it and, under its other names, as its handler does. */
export interface HandledCall extends UnaryRequest, HandlerContext {
  readonly method: UnarySpec["method"];
}

/** Has a call answered. Rejects with what the handler or an interceptor throws. */
export type UnaryHandler = (call: HandledCall) => Promise<MessageShape<DescMessage>>;

/**
 * Puts it together.
 *
 * @param interceptors the first is the outermost; they hand on the very call that they get, and the answer's header and
 *   trailers as they are
 */
export function createUnaryHandler(
  { impl, method }: UnarySpec,
  interceptors: readonly Interceptor[] = [],
): UnaryHandler {
  const innermost: ReturnType<Interceptor> = async (call): Promise<UnaryResponse> => {
    invariant("responseHeader" in call, "an interceptor handed on another call than it got");
    const { service, message, responseHeader, responseTrailer } = call as HandledCall;
    return {
      stream: false,
      service,
      method,
      message: create(method.output, await impl(message, call as HandledCall)),
      header: responseHeader,
      trailer: responseTrailer,
    };
  };
  const handle = interceptors.reduceRight((next, interceptor) => interceptor(next), innermost);
  return async (call) => (await handle(call) as UnaryResponse).message;
}
