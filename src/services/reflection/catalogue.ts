/** What reflection can be asked for: every file, and what declares each name. No I/O. */
import { type DescFile, type DescMessage, type DescService, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";

/** Everything that can be asked for, by its full name. */
export interface Catalogue {
  /** Sorted, each once. */
  services: string[];
  filesByName: Map<string, DescFile>;
  /** The file as a serialized FileDescriptorProto: made when it is first asked for, and kept. */
  bytesOf(file: DescFile): Uint8Array;
  /** The file that declares a service, method, message, field, oneof, enum, enum value or extension. */
  filesBySymbol: Map<string, DescFile>;
  /** By extended message, then by field number. Every message is here, most with no extension. */
  extensionFiles: Map<string, Map<number, DescFile>>;
}

/** What is described. */
export interface Described {
  /** Named in lists, and found by name. */
  readonly listed: readonly DescService[];
  /** Found by name only: a client's pool of names can't have a service `a` beside a package `a.v1`. */
  readonly byName?: readonly DescService[];
  /** Found too, with what they import: messages that answers carry as `google.protobuf.Any`, which no service names. */
  readonly files?: readonly DescFile[];
}

/** @throws Error if two different files have one name, or declare the same symbol: an answer would be about either. */
export function createCatalogue({ listed, byName = [], files = [] }: Described): Catalogue {
  const bytes = new Map<DescFile, Uint8Array>();
  const catalogue: Catalogue = {
    services: [...new Set(listed.map(({ typeName }) => typeName))].sort(),
    filesByName: new Map(),
    bytesOf(file) {
      const made = bytes.get(file) ?? toBinary(FileDescriptorProtoSchema, file.proto);
      bytes.set(file, made);
      return made;
    },
    filesBySymbol: new Map(),
    extensionFiles: new Map(),
  };
  for (const file of withDependencies([...[...listed, ...byName].map(({ file }) => file), ...files])) {
    addOnce(catalogue.filesByName, [file.proto.name], file);
    addOnce(catalogue.filesBySymbol, symbolsOf(file), file);
    for (const { typeName } of allMessages(file.messages)) numbersOf(catalogue, typeName);
    for (const { extendee, number } of allExtensions(file)) numbersOf(catalogue, extendee.typeName).set(number, file);
  }
  return catalogue;
}

/** The given files in their order, then what they import, directly or not, each once. */
export function withDependencies(files: readonly DescFile[]): Set<DescFile> {
  const found = new Set(files);
  // A set that grows while it is walked is walked to its new end.
  for (const file of found) file.dependencies.forEach((dependency) => found.add(dependency));
  return found;
}

function addOnce(files: Map<string, DescFile>, names: Iterable<string>, file: DescFile): void {
  for (const name of names) {
    if (files.has(name)) throw new Error(`Cannot describe the services: "${name}" is declared twice`);
    files.set(name, file);
  }
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
