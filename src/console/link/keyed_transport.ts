/**
 * A transport that outlives its key. When the server takes the key no more, what only reads waits for another key of
 * the same caller and is sent by that, so that whoever shows lists need not know. What changes stock is refused: nobody
 * knows whether it is still wanted when somebody has signed in again.
 *
 *     held  --use-----> open      what waits is sent
 *     open  --refused-> held
 *     any   --close---> closed    what waits or is under way ends, and so does whatever is called from then on: its
 *                                 answer is for nobody who reads the page now
 */
import type { DescMessage, DescMethodStreaming, DescMethodUnary, MessageInitShape } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import {
  Code,
  ConnectError,
  type ContextValues,
  type StreamResponse,
  type Transport,
  type UnaryResponse,
} from "@connectrpc/connect";

/** See above. */
export class KeyedTransport implements Transport {
  readonly #refused: () => void;
  readonly #waiting = new Set<PromiseWithResolvers<Transport>>();
  #now: Transport | undefined;
  readonly #closed = new AbortController();

  /** @param refused called when the server does not take the key */
  constructor(refused: () => void) {
    this.#refused = refused;
  }

  /** Calls by this one from now on. */
  use(transport: Transport): void {
    this.#now = transport;
    for (const waiter of this.#waiting) waiter.resolve(transport);
  }

  /** Calls by none until there is another one. */
  hold(): void {
    this.#now = undefined;
  }

  /** Calls by none any more. */
  close(): void {
    this.#now = undefined;
    this.#closed.abort(closed());
    for (const waiter of this.#waiting) waiter.reject(closed());
  }

  async unary<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    signal: AbortSignal | undefined,
    timeoutMs: number | undefined,
    header: HeadersInit | undefined,
    input: MessageInitShape<I>,
    contextValues?: ContextValues,
  ): Promise<UnaryResponse<I, O>> {
    const isRead = method.idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS;
    const until = AbortSignal.any([this.#closed.signal, ...signal === undefined ? [] : [signal]]);
    while (true) {
      const transport = this.#now ?? await this.#other(isRead, signal);
      try {
        return await transport.unary(method, until, timeoutMs, header, input, contextValues);
      } catch (error) {
        if (ConnectError.from(error).code !== Code.Unauthenticated) throw error;
        // What was sent by the key before says nothing of this one.
        if (transport === this.#now) {
          this.hold();
          this.#refused();
        }
        if (!isRead) throw error;
      }
    }
  }

  async stream<I extends DescMessage, O extends DescMessage>(
    method: DescMethodStreaming<I, O>,
    signal: AbortSignal | undefined,
    timeoutMs: number | undefined,
    header: HeadersInit | undefined,
    input: AsyncIterable<MessageInitShape<I>>,
    contextValues?: ContextValues,
  ): Promise<StreamResponse<I, O>> {
    const transport = this.#now ?? await this.#other(true, signal);
    return await transport.stream(method, signal, timeoutMs, header, input, contextValues);
  }

  /** The next one. @throws ConnectError where none is waited for, or none comes */
  async #other(waits: boolean, signal: AbortSignal | undefined): Promise<Transport> {
    this.#closed.signal.throwIfAborted();
    if (!waits) throw new ConnectError("the server takes the key no more", Code.Unauthenticated);
    signal?.throwIfAborted();
    const waiter = Promise.withResolvers<Transport>();
    const leave = () => waiter.reject(ConnectError.from(signal?.reason, Code.Canceled));
    signal?.addEventListener("abort", leave);
    this.#waiting.add(waiter);
    try {
      return await waiter.promise;
    } finally {
      signal?.removeEventListener("abort", leave);
      this.#waiting.delete(waiter);
    }
  }
}

function closed(): ConnectError {
  return new ConnectError("the link is closed", Code.Canceled);
}
