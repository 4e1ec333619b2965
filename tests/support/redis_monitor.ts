/**
 * What a Redis is asked to do, as it says on MONITOR. Not by ioredis: a line that comes together with the OK of MONITOR
 * is an answer to nothing for it, which ends the test.
 */

/** Listens until it is closed. Resolves when everything from now on is heard. */
export async function monitorRedis(
  url: string,
  onCommand: (name: string, args: string[]) => void,
): Promise<{ close(): void }> {
  const { hostname, port, username, password } = new URL(url);
  const connection = await Deno.connect({ hostname, port: Number(port) });
  const begun = Promise.withResolvers<void>();
  const login = password === "" ? "" : `AUTH ${username || "default"} ${password}\r\n`;
  await connection.write(new TextEncoder().encode(`${login}MONITOR\r\n`));
  let answersLeft = login === "" ? 1 : 2;
  let isClosed = false;
  const read = async () => {
    const decoder = new TextDecoder();
    let rest = "";
    for await (const part of connection.readable) {
      const lines = (rest + decoder.decode(part, { stream: true })).split("\r\n");
      rest = lines.pop() ?? "";
      for (const line of lines) take(line);
    }
  };
  const take = (line: string) => {
    if (answersLeft === 0) {
      const [name = "", ...args] = [...line.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, word]) => word!);
      return onCommand(name, args);
    }
    if (line !== "+OK") return begun.reject(new Error(`Redis can't be watched: ${line}`));
    if (--answersLeft === 0) begun.resolve();
  };
  read().then(() => begun.reject(new Error("Redis has closed the connection")), (error) => {
    if (!isClosed) begun.reject(error);
  });
  await begun.promise;
  return {
    close() {
      isClosed = true;
      connection.close();
    },
  };
}
