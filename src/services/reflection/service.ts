/**
 * gRPC server reflection, v1 and v1alpha, from which clients without our proto files learn what the server speaks.
 *
 * It describes whatever services it is given and knows none of them. Each name leads to one file, never to a
 * package: a service may be called as the first part of another file's package, as `inventory` and
 * `inventory.v1` are, and a client then learns either without meeting the other.
 */
import type { DescFile } from "@bufbuild/protobuf";
import { Code, ConnectError, type HandlerContext } from "@connectrpc/connect";
import { AddressPlaces, callerAddress } from "../../transport/addresses.ts";
import { ServerReflection } from "../../gen/grpc/reflection/v1/reflection_pb.ts";
import { ServerReflection as ServerReflectionAlpha } from "../../gen/grpc/reflection/v1alpha/reflection_pb.ts";
import { type MethodRules, type ServiceModule, serviceModule } from "../service_module.ts";
import { type Catalogue, createCatalogue, type Described } from "./catalogue.ts";
import { type Answer, answer, type Request } from "./encode.ts";

/** Most reflection streams at a time, both versions and all clients together. */
export const REFLECTION_STREAMS_MAX = 100;

/** Most requests on one stream; a client asks once per service and a few times more. */
export const REFLECTION_REQUESTS_MAX = 100;

/** Longest request. It is sent back with the answer, so it also bounds how large an answer can be made. */
export const REFLECTION_REQUEST_BYTES_MAX = 4096;

const RULES: MethodRules = { right: "operator", bounds: { bytesMax: REFLECTION_REQUEST_BYTES_MAX, counts: [] } };

/**
 * Both versions of reflection, for the given services and for themselves.
 *
 * An answer about a file carries that file first and then all it depends on, save what this stream has sent before.
 * What is not known is an error in the answer, and the stream goes on. What passes one of the bounds above ends in
 * RESOURCE_EXHAUSTED, and so does one address's stream over its `addressShare` of all. How long a silent stream may
 * stay open is up to the listener.
 *
 * @throws Error if two different files have one name, or declare the same symbol: an answer would be about either.
 */
export function reflectionModules(described: Described, addressShare = 1): ServiceModule[] {
  const itself = [ServerReflection, ServerReflectionAlpha];
  const catalogue = createCatalogue({ ...described, listed: [...described.listed, ...itself] });
  const places = new AddressPlaces(REFLECTION_STREAMS_MAX, addressShare);
  async function* serverReflectionInfo<R extends Request>(requests: AsyncIterable<R>, { values }: HandlerContext) {
    const leave = places.take(callerAddress(values));
    if (leave === undefined) throw exhausted("too many reflection streams");
    try {
      yield* answerAll(requests, catalogue);
    } finally {
      leave();
    }
  }
  const rest = {
    handlers: { serverReflectionInfo },
    methods: { serverReflectionInfo: RULES },
    drainExempt: false,
    healthListed: false,
    reflected: "listed",
  } as const;
  return [
    serviceModule({ service: ServerReflection, ...rest }),
    serviceModule({ service: ServerReflectionAlpha, ...rest }),
  ];
}

async function* answerAll<R extends Request>(
  requests: AsyncIterable<R>,
  catalogue: Catalogue,
): AsyncGenerator<{ validHost: string; originalRequest: R; messageResponse: Answer }> {
  const sent = new Set<DescFile>();
  let count = 0;
  for await (const request of requests) {
    if (++count > REFLECTION_REQUESTS_MAX) throw exhausted("too many requests on one reflection stream");
    const messageResponse = answer(request.messageRequest, catalogue, sent);
    yield { validHost: request.host, originalRequest: request, messageResponse };
  }
}

function exhausted(problem: string): ConnectError {
  return new ConnectError(problem, Code.ResourceExhausted);
}
