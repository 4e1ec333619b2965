/** Redis nodes of a test's own that speak TLS beside their clear port, and what their owner does with them. */
import { join } from "node:path";
import { Redis } from "ioredis";
import { createLog } from "../../src/telemetry/create_log.ts";
import { freePorts } from "../../tools/stack/ports.ts";
import { type PrivateRedis, startRedisNodes } from "../../tools/stack/redis.ts";
import { testEnvironment } from "./env.ts";
import { storePath, STORES } from "./tls_postgres.ts";

/** One of them. */
export interface TlsRedis {
  /** Of its owner's, on the clear port. */
  readonly owner: Redis;
  readonly tlsPort: number;
  /**
   * Shows this certificate to whoever comes from now on, and cuts who is there. `clients`: it wants one of theirs.
   */
  present(certificate: typeof STORES[number], clients?: boolean): Promise<void>;
  /** Ends all sessions but the owner's. */
  cut(): Promise<void>;
}

/** The nodes. `await using` stops them. */
export interface TlsRedisNodes extends AsyncDisposable {
  readonly nodes: readonly TlsRedis[];
}

/** Starts three with the certificate `server.pem`, for 127.0.0.1 and localhost. */
export async function startTlsRedis(): Promise<TlsRedisNodes> {
  const dir = await Deno.makeTempDir({ prefix: "tls-redis-" });
  // Redis runs as another user when we are root, and must get through to the certificates.
  await Deno.chmod(dir, 0o755);
  const files = join(dir, "files");
  await Deno.mkdir(files);
  for (const name of [...STORES, "key.pem"] as const) {
    await Deno.copyFile(storePath(name), join(files, name));
    await Deno.chmod(join(files, name), 0o644);
  }
  const log = createLog("error", "pretty");
  const servers = await startRedisNodes(3, { dir, log, program: testEnvironment().redisProgram });
  const ports = freePorts(servers.length);
  const nodes = await Promise.all(servers.map((server, i) => tlsRedis(server, files, ports[i]!)));
  return {
    nodes,
    async [Symbol.asyncDispose]() {
      for (const { owner } of nodes) owner.disconnect();
      await Promise.all(servers.map((server) => server.stop()));
      await Deno.remove(dir, { recursive: true });
    },
  };
}

async function tlsRedis(server: PrivateRedis, files: string, tlsPort: number): Promise<TlsRedis> {
  const owner = new Redis(server.url);
  owner.on("error", () => {});
  const cut = async () => void await owner.call("client", "kill", "type", "normal", "skipme", "yes");
  const set = async (certificate: string, clients: boolean) => {
    const settings: Record<string, string> = {
      "tls-cert-file": join(files, certificate),
      "tls-key-file": join(files, "key.pem"),
      "tls-ca-cert-file": join(files, "authority.pem"),
      "tls-auth-clients": clients ? "yes" : "no",
      "tls-port": String(tlsPort),
    };
    await owner.call("config", "set", ...Object.entries(settings).flat());
  };
  await set("server.pem", false);
  return {
    owner,
    tlsPort,
    async present(certificate, clients = false) {
      await set(certificate, clients);
      await cut();
    },
    cut,
  };
}
