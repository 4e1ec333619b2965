/**
 * gRPC server reflection, v1 and v1alpha: tells clients without our proto files what the server speaks.
 *
 * It describes whatever services it is given and knows none of them. Each name leads to one file, never to a
 * package: a service may be called as the first part of another file's package, as `inventory` and
 * `inventory.v1` are, and a client then learns either without meeting the other.
 */
import { type DescFile, type DescMessage, type DescService, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, type ConnectRouter, type HandlerContext } from "@connectrpc/connect";
import { AddressPlaces } from "../../transport/address_places.ts";
import { callerAddress } from "../../rpc/caller_address.ts";
import { ServerReflection } from "../../gen/grpc/reflection/v1/reflection_pb.ts";
import { ServerReflection as ServerReflectionAlpha } from "../../gen/grpc/reflection/v1alpha/reflection_pb.ts";

/** Most reflection streams at a time, both versions and all clients together. */
export const REFLECTION_STREAMS_MAX = 100;

/** Most requests on one stream; a client asks once per service and a few times more. */
export const REFLECTION_REQUESTS_MAX = 100;

/** Longest request. It is sent back with the answer, so it also bounds what an answer can be made to hold. */
export const REFLECTION_REQUEST_BYTES_MAX = 4096;

/** What the two versions ask. Both generated types fit it. */
type Question =
  | { case: "fileByFilename" | "fileContainingSymbol" | "allExtensionNumbersOfType" | "listServices"; value: string }
  | { case: "fileContainingExtension"; value: { containingType: string; extensionNumber: number } }
  | { case: undefined; value?: undefined };

interface Request {
  host: string;
  messageRequest: Question;
}

/** What they answer. It fits both generated types. */
type Answer =
  | { case: "fileDescriptorResponse"; value: { fileDescriptorProto: Uint8Array[] } }
  | { case: "allExtensionNumbersResponse"; value: { baseTypeName: string; extensionNumber: number[] } }
  | { case: "listServicesResponse"; value: { service: { name: string }[] } }
  | { case: "errorResponse"; value: { errorCode: number; errorMessage: string } };

/** Everything that can be asked for, by its full name. */
interface Catalogue {
  /** Sorted, each once. */
  services: string[];
  filesByName: Map<string, DescFile>;
  /** Each file as a serialized FileDescriptorProto. */
  bytes: Map<DescFile, Uint8Array>;
  /** The file that declares a service, method, message, field, oneof, enum, enum value or extension. */
  filesBySymbol: Map<string, DescFile>;
  /** By extended message, then by field number. Every message is here, most with no extension. */
  extensionFiles: Map<string, Map<number, DescFile>>;
}

/**
 * Serves both versions of reflection for the given services and for itself. `unlisted` services are found by name
 * but not named in lists: clients put all that is listed into one pool of names, and a pool can't hold a service `a`
 * beside a package `a.v1`. `files` are found too, with what they import: messages that answers carry as
 * `google.protobuf.Any`, which no service names.
 *
 * An answer about a file carries that file first and then all it depends on, save what this stream has sent before.
 * What is not known is an error in the answer, and the stream goes on. What passes one of the bounds above ends in
 * RESOURCE_EXHAUSTED, and so does one address's stream over its `addressShare` of all. How long a silent stream may stay open is up to the listener.
 *
 * @throws Error if two different files have one name, or declare the same symbol: an answer would be about either.
 */
export function registerReflection(
  router: ConnectRouter,
  services: readonly DescService[],
  unlisted: readonly DescService[] = [],
  files: readonly DescFile[] = [],
  addressShare = 1,
): void {
  const catalogue = createCatalogue([...services, ServerReflection, ServerReflectionAlpha], unlisted, files);
  const options = { readMaxBytes: REFLECTION_REQUEST_BYTES_MAX };
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
  router.service(ServerReflection, { serverReflectionInfo }, options);
  router.service(ServerReflectionAlpha, { serverReflectionInfo }, options);
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

function answer(question: Question, catalogue: Catalogue, sent: Set<DescFile>): Answer {
  const { filesByName, filesBySymbol, extensionFiles } = catalogue;
  switch (question.case) {
    case "listServices":
      return { case: "listServicesResponse", value: { service: catalogue.services.map((name) => ({ name })) } };
    case "fileByFilename":
      return fileAnswer(filesByName.get(question.value), "unknown file", catalogue, sent);
    case "fileContainingSymbol":
      return fileAnswer(filesBySymbol.get(question.value), "unknown symbol", catalogue, sent);
    case "fileContainingExtension": {
      const { containingType, extensionNumber } = question.value;
      const file = extensionFiles.get(containingType)?.get(extensionNumber);
      return fileAnswer(file, "unknown extension", catalogue, sent);
    }
    case "allExtensionNumbersOfType": {
      const extensions = extensionFiles.get(question.value);
      if (extensions === undefined) return errorAnswer(Code.NotFound, "unknown type");
      const value = { baseTypeName: question.value, extensionNumber: [...extensions.keys()] };
      return { case: "allExtensionNumbersResponse", value };
    }
    default:
      return errorAnswer(Code.Unimplemented, "unknown kind of request");
  }
}

/** The file asked for goes out each time, as the client may have asked by another name; the rest once a stream. */
function fileAnswer(file: DescFile | undefined, problem: string, { bytes }: Catalogue, sent: Set<DescFile>): Answer {
  if (file === undefined) return errorAnswer(Code.NotFound, problem);
  const files = [...withDependencies([file])].filter((needed) => needed === file || !sent.has(needed));
  files.forEach((needed) => sent.add(needed));
  return { case: "fileDescriptorResponse", value: { fileDescriptorProto: files.map((needed) => bytes.get(needed)!) } };
}

/** Connect's codes have the numbers of gRPC's. The name asked for is not repeated: `originalRequest` has it. */
function errorAnswer(errorCode: Code, errorMessage: string): Answer {
  return { case: "errorResponse", value: { errorCode, errorMessage } };
}

function createCatalogue(
  services: readonly DescService[],
  unlisted: readonly DescService[],
  files: readonly DescFile[],
): Catalogue {
  const catalogue: Catalogue = {
    services: [...new Set(services.map(({ typeName }) => typeName))].sort(),
    filesByName: new Map(),
    bytes: new Map(),
    filesBySymbol: new Map(),
    extensionFiles: new Map(),
  };
  for (const file of withDependencies([...[...services, ...unlisted].map(({ file }) => file), ...files])) {
    addOnce(catalogue.filesByName, file.proto.name, file);
    catalogue.bytes.set(file, toBinary(FileDescriptorProtoSchema, file.proto));
    for (const symbol of symbolsOf(file)) addOnce(catalogue.filesBySymbol, symbol, file);
    for (const { typeName } of allMessages(file.messages)) numbersOf(catalogue, typeName);
    for (const { extendee, number } of allExtensions(file)) numbersOf(catalogue, extendee.typeName).set(number, file);
  }
  return catalogue;
}

/** The given files in their order, then what they import, directly or not, each once. */
function withDependencies(files: readonly DescFile[]): Set<DescFile> {
  const found = new Set(files);
  // A set that grows while it is walked is walked to its new end.
  for (const file of found) file.dependencies.forEach((dependency) => found.add(dependency));
  return found;
}

function addOnce(files: Map<string, DescFile>, name: string, file: DescFile): void {
  if (files.has(name)) throw new Error(`Cannot describe the services: "${name}" is declared twice`);
  files.set(name, file);
}

function numbersOf(catalogue: Catalogue, typeName: string): Map<number, DescFile> {
  const known = catalogue.extensionFiles.get(typeName) ?? new Map<number, DescFile>();
  catalogue.extensionFiles.set(typeName, known);
  return known;
}

function* symbolsOf(file: DescFile): Generator<string> {
  for (const service of file.services) {
    yield service.typeName;
    for (const method of service.methods) yield `${service.typeName}.${method.name}`;
  }
  const messages = [...allMessages(file.messages)];
  for (const message of messages) {
    yield message.typeName;
    for (const { name } of [...message.fields, ...message.oneofs]) yield `${message.typeName}.${name}`;
  }
  for (const item of [...file.enums, ...messages.flatMap(({ nestedEnums }) => nestedEnums)]) {
    yield item.typeName;
    // Values live beside their enum, not in it.
    const scope = item.typeName.slice(0, item.typeName.length - item.name.length);
    for (const value of item.values) yield scope + value.name;
  }
  for (const extension of allExtensions(file)) yield extension.typeName;
}

function* allExtensions(file: DescFile): Generator<DescFile["extensions"][number]> {
  yield* file.extensions;
  for (const message of allMessages(file.messages)) yield* message.nestedExtensions;
}

function* allMessages(messages: readonly DescMessage[]): Generator<DescMessage> {
  for (const message of messages) {
    yield message;
    yield* allMessages(message.nestedMessages);
  }
}
