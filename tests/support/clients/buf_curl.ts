/** The program `buf curl`, which learns the schema from the server's reflection. */
import { bufBinary } from "../../../src/dev/buf_binary.ts";
import type { Client, Json, Outcome } from "./client.ts";
import { jsonOutcome } from "./json_fetch.ts";

/** What buf calls the protocols. */
export type BufProtocol = "grpc" | "grpcweb" | "connect";

/** `buf curl` over one protocol; over HTTP/2 where the protocol needs it, over HTTP/1.1 elsewhere. */
export function bufCurlClient(baseUrl: string, protocol: BufProtocol): Client {
  const flags = ["--protocol", protocol, ...(protocol === "grpc" ? ["--http2-prior-knowledge"] : [])];
  return {
    name: `buf curl ${flags.join(" ")}`,
    contract: "v1",
    call: (method, request) => run(`${baseUrl}/inventory.v1.InventoryService/${method}`, flags, request),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

async function run(url: string, flags: readonly string[], request: Json): Promise<Outcome> {
  const elsewhere = Deno.env.get("TMPDIR")!;
  const { success, stdout, stderr } = await new Deno.Command(bufBinary(), {
    args: ["curl", ...flags, "--emit-defaults", "--data", JSON.stringify(request), url],
    // Away from buf.yaml: no schema but what the server tells.
    cwd: elsewhere,
    env: { BUF_CACHE_DIR: elsewhere },
    stdin: "null",
  }).output();
  const text = new TextDecoder().decode(success ? stdout : stderr);
  try {
    // With its zeros it also shows absent messages, as null.
    return success ? { answer: JSON.parse(text, (_key, value) => value ?? undefined) } : jsonOutcome(JSON.parse(text));
  } catch {
    throw new Error(`buf curl did not answer in JSON: ${text}`);
  }
}
