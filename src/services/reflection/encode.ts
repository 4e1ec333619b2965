/** The answer to one question of reflection. */
import type { DescFile } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { type Catalogue, withDependencies } from "./catalogue.ts";

/** What the two versions ask. Both generated types fit it. */
export type Question =
  | { case: "fileByFilename" | "fileContainingSymbol" | "allExtensionNumbersOfType" | "listServices"; value: string }
  | { case: "fileContainingExtension"; value: { containingType: string; extensionNumber: number } }
  | { case: undefined; value?: undefined };

export interface Request {
  host: string;
  messageRequest: Question;
}

/** What they answer. It fits both generated types. */
export type Answer =
  | { case: "fileDescriptorResponse"; value: { fileDescriptorProto: Uint8Array[] } }
  | { case: "allExtensionNumbersResponse"; value: { baseTypeName: string; extensionNumber: number[] } }
  | { case: "listServicesResponse"; value: { service: { name: string }[] } }
  | { case: "errorResponse"; value: { errorCode: number; errorMessage: string } };

/** `sent`: the files that this stream has sent already; those of the answer come to it. */
export function answer(question: Question, catalogue: Catalogue, sent: Set<DescFile>): Answer {
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
function fileAnswer(file: DescFile | undefined, problem: string, { bytesOf }: Catalogue, sent: Set<DescFile>): Answer {
  if (file === undefined) return errorAnswer(Code.NotFound, problem);
  const files = [...withDependencies([file])].filter((needed) => needed === file || !sent.has(needed));
  files.forEach((needed) => sent.add(needed));
  return { case: "fileDescriptorResponse", value: { fileDescriptorProto: files.map(bytesOf) } };
}

/** Connect's codes have the numbers of gRPC's. The name asked for is not repeated: `originalRequest` has it. */
function errorAnswer(errorCode: Code, errorMessage: string): Answer {
  return { case: "errorResponse", value: { errorCode, errorMessage } };
}
