/**
 * A TLS client that resumes its session, as that of Java, Envoy or a Go program does. In Node, as Deno's own client
 * can't.
 */
import { readLines } from "../../src/base/lines.ts";

/** Connects at each line of its input, by the session of the connection before, and posts one request. */
const PROGRAM = `
import tls from "node:tls";
import readline from "node:readline";
const [port, path, ca, cert, key] = process.argv.slice(1);
let session;
for await (const _ of readline.createInterface({ input: process.stdin })) {
  const socket = tls.connect({ port, host: "127.0.0.1", servername: "localhost", ca, cert, key, session });
  let [text, isResumed] = ["", false];
  socket.on("session", (next) => session = next);
  socket.on("data", (chunk) => text += chunk);
  socket.on("error", () => {});
  const closed = new Promise((resolve) => socket.on("close", resolve));
  socket.on("secureConnect", () => {
    isResumed = socket.isSessionReused();
    socket.write("POST " + path + " HTTP/1.1\\r\\nhost: localhost\\r\\n" +
    "content-type: application/json\\r\\ncontent-length: 13\\r\\nconnection: close\\r\\n\\r\\n{\\"goodsId\\":1}");
  });
  await closed;
  console.log((isResumed ? "resumed " : "anew ") + text.slice(9, 12));
}
`;

/** The client. `await using` ends it. */
export interface ResumingClient extends AsyncDisposable {
  /** Connects and calls: `anew 401`, `resumed 200`. */
  call(): Promise<string>;
}

/** Starts one; the certificate is a chain, the client's own first, as PEM. */
export function resumingClient(
  { port, path, ca, cert, key }: Readonly<Record<"path" | "ca" | "cert" | "key", string> & { port: number }>,
): ResumingClient {
  const line = 'exec node --input-type=module -e "$0" -- "$@"';
  const child = new Deno.Command("sh", {
    args: ["-c", line, PROGRAM, String(port), path, ca, cert, key],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const input = child.stdin.getWriter();
  const waiting: ((line: string) => void)[] = [];
  const read = readLines(child.stdout, (line) => waiting.shift()?.(line)).then(() => {
    for (const each of waiting) each("the client has ended");
  });
  return {
    async call() {
      const { promise, resolve } = Promise.withResolvers<string>();
      waiting.push(resolve);
      await input.write(new TextEncoder().encode("\n"));
      return await promise;
    },
    async [Symbol.asyncDispose]() {
      await input.close();
      await read;
      await child.status;
    },
  };
}
