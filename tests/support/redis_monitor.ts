/**
 * What a Redis node is asked, as its MONITOR tells it. By hand: ioredis takes a line that comes together with the answer to
 * MONITOR for the answer to a command that it never sent, and throws where nobody can catch it.
 */

/** Hands on every line, such as `+1795850927.6 [0 127.0.0.1:4711] "get" "key"`, until it is disposed of. */
export async function monitorRedis(url: string, onLine: (line: string) => void): Promise<AsyncDisposable> {
  const { hostname, port, username, password } = new URL(url);
  const connection = await Deno.connect({ hostname, port: Number(port) });
  const started = Promise.withResolvers<void>();
  let accepted = 0;
  const reading = read(connection, (line) => {
    if (line.startsWith("-")) started.reject(new Error(`MONITOR is refused: ${line}`));
    // The first is the answer to AUTH.
    else if (line === "+OK") accepted++;
    else onLine(line);
    if (accepted === 2) started.resolve();
  });
  reading.then(() => started.reject(new Error("the node has closed the connection")));
  await connection.write(new TextEncoder().encode(`AUTH ${username} ${password}\r\nMONITOR\r\n`));
  await started.promise;
  return {
    async [Symbol.asyncDispose]() {
      connection.close();
      await reading;
    },
  };
}

/** Line by line, to the end of the connection, whoever makes it. */
async function read(connection: Deno.Conn, onLine: (line: string) => void): Promise<void> {
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(16_384);
  let text = "";
  for (;;) {
    const count = await connection.read(buffer).catch(() => null);
    if (count === null) return;
    const lines = (text + decoder.decode(buffer.subarray(0, count), { stream: true })).split("\r\n");
    text = lines.pop() ?? "";
    lines.forEach(onLine);
  }
}
