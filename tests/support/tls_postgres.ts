/** A PostgreSQL of a test's own that speaks TLS, and somebody who stands before it with a certificate of his own. */
import { Buffer } from "node:buffer";
import net from "node:net";
import tls from "node:tls";
import postgres from "postgres";
import type { PrivatePostgres } from "../../tools/stack/postgres.ts";
import { makeDatabase, startCopiedPostgres } from "./own_postgres.ts";

const TLS_FILES = new URL("./tls/", import.meta.url).pathname;
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);

/** The path of a file of `tests/support/tls`. */
export function tlsPath(name: string): string {
  return `${TLS_FILES}${name}`;
}

/** Certificates of one authority for all stores, and one key: the good one is for 127.0.0.1 and localhost. */
export const STORES = ["authority.pem", "server.pem", "other_name.pem", "expired.pem", "client.pem"] as const;

/** The path of a file of `tests/support/tls/stores`. */
export function storePath(name: typeof STORES[number] | "key.pem"): string {
  return `${TLS_FILES}stores/${name}`;
}

/** A PostgreSQL that speaks TLS. */
export interface TlsPostgres extends PrivatePostgres, AsyncDisposable {
  /** Shows this certificate of {@link STORES}, or the first one again, to whoever comes from now on. */
  present(certificate: typeof STORES[number] | "database"): Promise<void>;
}

/**
 * Starts one with the database `shop`, migrated. Its certificate is of `authority.pem`, for 127.0.0.1 and not for
 * `localhost`.
 */
export async function startTlsPostgres(): Promise<TlsPostgres> {
  const dir = await Deno.makeTempDir({ prefix: "tls-" });
  // PostgreSQL runs as another user when we are root, and must get through to its data.
  await Deno.chmod(dir, 0o755);
  const server = await startCopiedPostgres(dir);
  await makeDatabase(server, "shop");
  const sql = postgres(server.ownerUrl("postgres"), { max: 1, onnotice: () => {} });
  const bring = async (files: Readonly<Record<string, string>>) => {
    for (const [name, path] of Object.entries(files)) {
      const lines = Deno.readTextFileSync(path).trim().split("\n").map((line) => `('${line}')`).join(",");
      // By PostgreSQL itself, so that the key is its user's and nobody else's.
      await sql.unsafe(`copy (values ${lines}) to program 'umask 077; cat > ${name}'`);
    }
    await sql.unsafe("select pg_reload_conf()");
  };
  await sql.unsafe("alter system set ssl_ca_file = 'root.crt'");
  await sql.unsafe("alter system set ssl = on");
  const first = { "server.crt": tlsPath("database.pem"), "server.key": tlsPath("database_key.pem") };
  await bring({ ...first, "root.crt": tlsPath("authority.pem") });
  return Object.assign(server, {
    present: (certificate: typeof STORES[number] | "database") =>
      bring(
        certificate === "database"
          ? first
          : { "server.crt": storePath(certificate), "server.key": storePath("key.pem") },
      ),
    async [Symbol.asyncDispose]() {
      await sql.end({ timeout: 1 });
      await server.stop("immediate");
    },
  });
}

/** Who stands in between, on a port of 127.0.0.1. */
export interface ManInTheMiddle extends AsyncDisposable {
  readonly port: number;
  /** Connections that came so far. */
  readonly opened: number;
}

/**
 * Ends the TLS of who connects with the certificate of `stranger.pem`, and passes all on to the PostgreSQL, under TLS
 * too. `direct`: TLS comes without a question, as PostgreSQL 17 takes it. `spared`: so many connections are passed on
 * as they are, before he begins.
 */
export async function standInTheMiddle(target: number, { direct = false, spared = 0 } = {}): Promise<ManInTheMiddle> {
  const sockets = new Set<net.Socket>();
  const keep = <T extends net.Socket>(socket: T): T => {
    sockets.add(socket);
    socket.on("error", () => {});
    return socket;
  };
  const [cert, key] = ["stranger.pem", "stranger_key.pem"].map((name) => Deno.readTextFileSync(tlsPath(name)));
  const inner = tls.createServer({ cert: cert!, key: key!, ALPNProtocols: ["postgresql"] }, (client) => {
    keep(client);
    if (direct && client.alpnProtocol !== "postgresql") return void client.destroy();
    const raw = keep(net.connect(target, "127.0.0.1"));
    raw.write(SSL_REQUEST);
    raw.once("data", () => join(client, keep(tls.connect({ socket: raw, rejectUnauthorized: false }))));
  });
  inner.on("tlsClientError", () => {});
  await listening(inner);
  let opened = 0;
  const outer = net.createServer((client) => {
    keep(client);
    if (opened++ < spared) return join(client, keep(net.connect(target, "127.0.0.1")));
    const toInner = keep(net.connect(portOf(inner), "127.0.0.1"));
    if (direct) return join(client, toInner);
    client.once("data", () => {
      client.write("S");
      join(client, toInner);
    });
  });
  await listening(outer);
  return {
    port: portOf(outer),
    get opened() {
      return opened;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await Promise.all([inner, outer].map((server) => new Promise((resolve) => server.close(resolve))));
    },
  };
}

function join(one: net.Socket, other: net.Socket): void {
  for (const [from, to] of [[one, other], [other, one]] as const) {
    from.on("data", (bytes) => to.write(bytes));
    from.once("close", () => to.destroy());
  }
}

function listening(server: net.Server): Promise<void> {
  return new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
}

function portOf(server: net.Server): number {
  return (server.address() as net.AddressInfo).port;
}
