/** The same request over HTTP/1.1 and over HTTP/2, each on one connection, and the whole answer. */
import { Buffer } from "node:buffer";
import http from "node:http";
import http2 from "node:http2";

/** A whole answer. */
export interface VersionAnswer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
}

/** One connection, by either version. */
export interface Connection {
  /**
   * Sends a whole request, with each part of its body written by itself. `progress` gets what of the answer has come.
   */
  request(
    method: string,
    path: string,
    headers?: Readonly<Record<string, string | string[]>>,
    body?: readonly Uint8Array[],
    progress?: (body: Buffer) => void,
  ): Promise<VersionAnswer>;
}

/** Runs with a connection of each version. */
export async function eachVersion(
  url: string,
  run: (version: "HTTP/1.1" | "HTTP/2", connection: Connection) => Promise<void>,
): Promise<void> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  try {
    await run("HTTP/1.1", {
      request: (method, path, headers = {}, body = [], progress) =>
        new Promise((resolve, reject) => {
          const request = http.request(url + path, { method, headers, agent }, (response) => {
            collect(response, progress).then((bytes) =>
              resolve({ status: response.statusCode!, headers: response.headers, body: bytes })
            ).catch(reject);
          });
          request.on("error", reject);
          for (const part of body) request.write(part);
          request.end();
        }),
    });
  } finally {
    agent.destroy();
  }
  const session = http2.connect(url);
  try {
    await run("HTTP/2", {
      request: (method, path, headers = {}, body = [], progress) =>
        new Promise((resolve, reject) => {
          const stream = session.request({ ...headers, ":method": method, ":path": path }, { endStream: false });
          stream.on("error", reject);
          stream.on("response", ({ ":status": status, ...answered }) => {
            collect(stream, progress).then((bytes) => resolve({ status: status!, headers: answered, body: bytes }))
              .catch(reject);
          });
          for (const part of body) stream.write(part);
          stream.end();
        }),
    });
  } finally {
    session.destroy();
  }
}

async function collect(source: AsyncIterable<Uint8Array>, progress?: (body: Buffer) => void): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of source) {
    parts.push(part);
    progress?.(Buffer.concat(parts));
  }
  return Buffer.concat(parts);
}
