/** A call as it is observed, from where its method is known to where its answer is. */
import { Code, ConnectError, type ContextValues, createContextKey } from "@connectrpc/connect";
import type { UniversalHandlerFn, UniversalServerResponse } from "@connectrpc/connect/protocol";
import { codeFromHttpStatus, codeToString } from "@connectrpc/connect/protocol-connect";
import type { IncomingHttpHeaders } from "node:http";
import type { ServerHttp2Stream } from "node:http2";
import { ErrorInfoSchema, RetryInfoSchema } from "../gen/google/rpc/error_details_pb.ts";
import type { CallObserver, ObservedCall } from "../telemetry/observer.ts";
import { callerAddress } from "../transport/addresses.ts";
import { REQUEST_ID_HEADER } from "../transport/exchange.ts";
import { deadlineFault } from "./deadline.ts";

const seenKey = createContextKey<SeenCall | undefined>(undefined, { description: "call as it is observed" });

/** The names of gRPC's codes, one of which Connect spells with one L. */
const CODE_NAMES: readonly string[] = [
  "OK",
  ...numbers(1, 16).map((code) => code === Code.Canceled ? "CANCELLED" : codeToString(code).toUpperCase()),
];

/** Who sees the calls of methods that are served. */
export interface SeenBy {
  /** Absent: nobody looks. */
  readonly observer?: CallObserver | undefined;
  /** Who asks, by the call's values and header, at its end. Absent: it is not known. */
  readonly actorOf?: (values: ContextValues, header: IncomingHttpHeaders) => string | undefined;
}

/**
 * One call.
 *
 *     begun --end--> ended   later ends are none
 */
export class SeenCall implements ObservedCall {
  readonly startedAt = performance.now();
  readonly method: string;
  readonly system: "grpc" | "connectrpc";
  readonly address: string;
  readonly requestId: string | undefined;
  /** Runs its work where it can be followed; undefined: nobody follows it. */
  readonly within: (<T>(work: () => T) => T) | undefined;
  #error: ConnectError | undefined;
  #hasEnded = false;

  constructor(
    private readonly observer: CallObserver,
    method: string,
    private readonly headers: IncomingHttpHeaders,
    private readonly values: ContextValues,
    private readonly carrier: object,
    private readonly actorOf: SeenBy["actorOf"],
  ) {
    const requestId = headers[REQUEST_ID_HEADER];
    this.method = method;
    this.system = headers["content-type"]?.startsWith("application/grpc") ? "grpc" : "connectrpc";
    this.address = callerAddress(values);
    this.requestId = typeof requestId === "string" ? requestId : undefined;
    this.within = observer.begin(this, carrier);
    // Deno ends its span when the stream closes, which is before whoever works on the call hears that it was reset.
    if (this.within !== undefined && "rstCode" in carrier) {
      (carrier as ServerHttp2Stream).once("aborted", () => this.end(undefined));
    }
  }

  /** Why it will end, for those who only see its answer. The last one stands. */
  noteError(error: ConnectError): void {
    this.#error = error;
  }

  /** Its answer is known: with an error, or, where none was noted, with the code. */
  end(error: unknown, code: Code | undefined = undefined): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    // What came of its work is nobody's then, whatever code it was reset with.
    const isReset = (this.carrier as { readonly aborted?: boolean }).aborted === true;
    const why = isReset ? undefined : error instanceof ConnectError ? error : this.#error;
    // What can't be written to a caller who has gone had its end before.
    const endedBy = isReset ? Code.Canceled : why?.code ?? (error === undefined ? code : Code.Internal);
    this.observer.end(this, this.carrier, {
      code: CODE_NAMES[endedBy ?? 0] ?? "UNKNOWN",
      reason: why === undefined ? undefined : reasonOf(why),
      actor: this.actorOf?.(this.values, this.headers),
    });
  }
}

/**
 * A call has come at this path; undefined where nobody looks, or nothing is served there. From now on its values know
 * it.
 *
 * @param carrier the stream, or the response of node:http, that answers it
 */
export function beginCall(
  { observer, actorOf }: SeenBy,
  path: string | undefined,
  headers: IncomingHttpHeaders,
  values: ContextValues,
  carrier: object,
): SeenCall | undefined {
  if (observer === undefined || path === undefined) return undefined;
  const seen = new SeenCall(observer, path.slice(1), headers, values, carrier, actorOf);
  values.set(seenKey, seen);
  return seen;
}

/** The call that these values are of, where it is observed. */
export function seenCall(values: ContextValues): SeenCall | undefined {
  return values.get(seenKey);
}

/** Connect's handler, whose answers end the call. */
export function observed(handler: UniversalHandlerFn, values: ContextValues): UniversalHandlerFn {
  const seen = seenCall(values);
  if (seen === undefined) return handler;
  return async (request) => {
    const body = isBytes(request.body) ? noting(request.body, seen) : request.body;
    const run = () => handler({ ...request, body });
    // Connect answers it before anybody else gets to see the call.
    const fault = deadlineFault(request.header);
    if (fault !== undefined) seen.noteError(fault);
    try {
      const answer = await (seen.within === undefined ? run() : seen.within(run));
      if (answer.body !== undefined) return { ...answer, body: ended(answer, answer.body, seen) };
      seen.end(undefined, codeOf(answer));
      return answer;
    } catch (error) {
      seen.end(error);
      throw error;
    }
  };
}

/** What is thrown while the message is received is thrown for Connect, which has the words for it. */
async function* noting(body: AsyncIterable<Uint8Array>, seen: SeenCall): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (error) {
    if (error instanceof ConnectError) seen.noteError(error);
    throw error;
  }
}

/** Ends the call with the body, even where nobody reads it. By then the trailers are complete. */
function ended(
  answer: UniversalServerResponse,
  body: AsyncIterable<Uint8Array>,
  seen: SeenCall,
): AsyncIterable<Uint8Array> {
  const source = body[Symbol.asyncIterator]();
  const end = (error?: unknown) => seen.end(error, codeOf(answer));
  const iterator: AsyncIterator<Uint8Array> = {
    async next() {
      try {
        const result = await source.next();
        if (result.done) end();
        return result;
      } catch (error) {
        end(error);
        throw error;
      }
    },
    async return() {
      end();
      await source.return?.();
      return { done: true, value: undefined };
    },
    async throw(error) {
      end(error);
      return await (source.throw?.(error) ?? Promise.reject(error));
    },
  };
  return { [Symbol.asyncIterator]: () => iterator };
}

/** What an answer says by itself: gRPC in its trailers, Connect by HTTP's status. */
function codeOf({ status, header, trailer }: UniversalServerResponse): Code | undefined {
  const grpc = trailer?.get("grpc-status") ?? header?.get("grpc-status");
  if (grpc !== undefined && grpc !== null) return grpc === "0" ? undefined : Number(grpc);
  return status === 200 || status === 304 ? undefined : codeFromHttpStatus(status);
}

/** A word that does not vary from call to call; undefined where the error says no more than its code. */
function reasonOf({ details }: ConnectError): string | undefined {
  let type: string | undefined;
  for (const detail of details) {
    if (!("desc" in detail)) continue;
    if (detail.desc.typeName === ErrorInfoSchema.typeName) return (detail.value as { reason?: string }).reason;
    if (detail.desc.typeName !== RetryInfoSchema.typeName) type ??= detail.desc.name;
  }
  return type;
}

function isBytes(body: unknown): body is AsyncIterable<Uint8Array> {
  return typeof body === "object" && body !== null && Symbol.asyncIterator in body;
}

function numbers(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}
