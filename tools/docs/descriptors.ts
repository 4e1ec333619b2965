/** What buf builds of protos, as JSON: the parts of a FileDescriptorProto that the page of the API is made of. */

/** A file of protos. */
export interface File {
  readonly name: string;
  readonly service?: readonly { readonly name: string; readonly method: readonly Method[] }[];
  readonly messageType?: readonly Message[];
  readonly enumType?: readonly Enum[];
  readonly sourceCodeInfo?: { readonly location: readonly Location[] };
}

interface Method {
  readonly name: string;
  readonly inputType: string;
  readonly outputType: string;
  readonly serverStreaming?: boolean;
}

/** A message and its fields. */
export interface Message {
  readonly name: string;
  readonly field?: readonly Field[];
}

/** A field of a message. */
export interface Field {
  readonly name: string;
  readonly label: string;
  readonly type: string;
  readonly typeName?: string;
  readonly oneofIndex?: number;
  readonly proto3Optional?: boolean;
}

/** An enum and its values. */
export interface Enum {
  readonly name: string;
  readonly value: readonly { readonly name: string; readonly number?: number }[];
}

interface Location {
  readonly path?: readonly number[];
  readonly leadingComments?: string;
}

/**
 * The comments of a file by the path of what they belong to, with commas (descriptor.proto, SourceCodeInfo). That of
 * the file itself stands before `syntax`, which has the path 12.
 */
export function commentsOf(file: File): ReadonlyMap<string, string> {
  const comments = new Map<string, string>();
  for (const { path = [], leadingComments } of file.sourceCodeInfo?.location ?? []) {
    if (leadingComments !== undefined) comments.set(path.join(","), leadingComments);
  }
  return comments;
}

/** A field's type: what stands before it, and its text, or the message or enum that it is. */
export function typeOf(field: Field): { readonly prefix: string; readonly text: string; readonly message?: string } {
  const repeated = field.label === "LABEL_REPEATED" ? "repeated " : "";
  const prefix = field.proto3Optional ? "optional " : repeated;
  const text = field.type.replace("TYPE_", "").toLowerCase();
  return field.typeName === undefined ? { prefix, text } : { prefix, text, message: field.typeName };
}
