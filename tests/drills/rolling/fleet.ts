/** Three servers on one database behind HAProxy, set as deploy/ has it; each can be stopped and started again. */
import { freePorts } from "../../../tools/stack/ports.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { startHaproxyOfFleet } from "../../support/proxies.ts";
import { startServer, type TestServer } from "../../support/server.ts";
import { TLS_CERTIFICATE } from "../../support/tls_server.ts";

/** Servers of a fleet. */
export const SERVERS = 3;

/** A running fleet. `await using` ends it. */
export interface Fleet extends AsyncDisposable {
  /** HAProxy's. */
  readonly url: string;
  readonly ca: string;
  /** The first server's, past HAProxy. */
  readonly directUrl: string;
  readonly database: TestDatabase;
  /** Stops the server of this place (0, 1, 2) and starts it again; answers when it is ready, with its exit code. */
  restart(place: number): Promise<number>;
  /** Ends all servers, at once. */
  end(): Promise<void>;
}

/** Starts it; `env`: settings of each server. `checkMs`: how often HAProxy looks at the health of each. */
export async function startFleet(env: Readonly<Record<string, string>>, checkMs: number): Promise<Fleet> {
  const database = await createTestDatabase();
  const ports = freePorts(SERVERS);
  const start = (place: number) =>
    startServer({ database, env: { TRUSTED_PROXIES: "127.0.0.1", ...env, PORT: `${ports[place]}` } });
  const servers = await Promise.all(ports.map((_, place) => start(place)));
  const proxy = await startHaproxyOfFleet(servers.map(({ url }) => url), checkMs);
  const end = async () => void await Promise.all(servers.map((server) => server.stop("SIGKILL")));
  return {
    url: proxy.url,
    ca: TLS_CERTIFICATE,
    directUrl: servers[0]!.url,
    database,
    async restart(place) {
      const code = await (servers[place] as TestServer).stop();
      servers[place] = await start(place);
      return code;
    },
    end,
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]();
      await end();
      await database.drop();
    },
  };
}
