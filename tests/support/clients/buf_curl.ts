/** The program `buf curl`, which learns the schema from the server's reflection. */
import { bufBinary } from "../../../tools/gate/buf_binary.ts";
import { type CallResult, type Client, type Json, serviceOf } from "./client.ts";
import { jsonResult } from "./json_fetch.ts";

/** What buf calls the protocols. */
export type BufProtocol = "grpc" | "grpcweb" | "connect";

/** `buf curl` over one protocol; over HTTP/2 where the protocol needs it, over HTTP/1.1 elsewhere. */
export function bufCurlClient(baseUrl: string, protocol: BufProtocol): Client {
  return {
    name: `buf curl ${flagsOf(protocol).join(" ")}`,
    contract: "v1",
    call: (method, request) => callBufCurl(`${baseUrl}/${serviceOf(method).service}/${method}`, protocol, request),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** The services that the server lists. */
export async function listServices(baseUrl: string): Promise<string[]> {
  const { success, text } = await bufCurl([...flagsOf("grpc"), "--list-services", baseUrl]);
  if (!success) throw new Error(`buf curl can't list the services: ${text}`);
  return text.trim().split("\n");
}

/** Calls the method at the URL and waits. Rejects only for what is no status. */
export async function callBufCurl(url: string, protocol: BufProtocol, request: Json): Promise<CallResult> {
  const { success, text } = await bufCurl(
    [...flagsOf(protocol), "--emit-defaults", "--data", JSON.stringify(request), url],
  );
  try {
    // With its zeros it also shows absent messages, as null.
    return success ? { answer: JSON.parse(text, (_key, value) => value ?? undefined) } : jsonResult(JSON.parse(text));
  } catch {
    throw new Error(`buf curl did not answer in JSON: ${text}`);
  }
}

function flagsOf(protocol: BufProtocol): readonly string[] {
  return ["--protocol", protocol, ...(protocol === "grpc" ? ["--http2-prior-knowledge"] : [])];
}

/** What it wrote: where it succeeded on its standard output, else on its standard error. */
async function bufCurl(args: readonly string[]): Promise<{ readonly success: boolean; readonly text: string }> {
  const elsewhere = Deno.env.get("TMPDIR")!;
  const { success, stdout, stderr } = await new Deno.Command(bufBinary(), {
    args: ["curl", ...args],
    // Away from buf.yaml: no schema but what the server describes.
    cwd: elsewhere,
    env: { BUF_CACHE_DIR: elsewhere },
    stdin: "null",
  }).output();
  return { success, text: new TextDecoder().decode(success ? stdout : stderr) };
}
