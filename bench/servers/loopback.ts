/** Servers of node's own kind on a free port of this machine, as the bench starts them. */
import type { AddressInfo, Server } from "node:net";

/** Listens, and answers the address and how to stop. Rejects with what the server says against it. */
export async function onLoopback(server: Server): Promise<{ readonly url: string; close(): Promise<void> }> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      server.close();
      return Promise.resolve();
    },
  };
}
