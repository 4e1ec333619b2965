/** Proxies of others in front of the service, set by the files of deploy/. */
import { join } from "node:path";
import { SERVER_ENVIRONMENT } from "../../src/process/child_environment.ts";
import { freePort } from "../../tools/stack/ports.ts";
import { startServer } from "../../tools/stack/server_process.ts";
import { until } from "../../src/base/bounded_wait.ts";
import { clientProgram } from "./client_programs.ts";
import { type Changes, deployFile } from "./clients_doc.ts";
import { TLS_CERTIFICATE_FILE, TLS_KEY_FILE } from "./tls_server.ts";

const START_MS_MAX = 30_000;
const STOP_MS_MAX = 5_000;

/** A running proxy. `await using` stops it. */
export interface Proxy extends AsyncDisposable {
  /** Where it takes calls, over TLS with the certificate of the tests. */
  readonly url: string;
}

/** nginx in front of a server, its file with these changes. */
export async function startNginx(serverUrl: string, changes: Changes = {}): Promise<Proxy> {
  const port = freePort();
  const dir = await Deno.makeTempDir();
  const conf = deployFile("nginx/nginx.conf", {
    "127.0.0.1:8080": new URL(serverUrl).host,
    "8443": String(port),
    "/etc/ssl/stock.example.pem": TLS_CERTIFICATE_FILE,
    "/etc/ssl/stock.example.key": TLS_KEY_FILE,
    ...changes,
  });
  const kept = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `${name}_temp_path ${dir}/${name};`);
  const path = join(dir, "nginx.conf");
  const inHttp = conf.replace("http {", `http {\naccess_log off;\n${kept.join("\n")}`);
  await Deno.writeTextFile(path, `daemon off;\npid ${dir}/nginx.pid;\nerror_log stderr notice;\n${inHttp}`);
  return await start("nginx", ["-p", dir, "-e", "stderr", "-c", path], dir, port, "start worker processes");
}

/** HAProxy in front of a server, to which it speaks TLS, as a comment of its file says, where that does. */
export async function startHaproxy(serverUrl: string): Promise<Proxy> {
  const cleartext = "  default-server proto h2 check check-proto h1";
  const tls = `  default-server ssl verify required ca-file ${TLS_CERTIFICATE_FILE} alpn h2 check check-alpn http/1.1`;
  const changes = {
    "  server one 127.0.0.1:8080": `  server one ${new URL(serverUrl).host}`,
    ...serverUrl.startsWith("https:") ? { [cleartext]: tls } : {},
  };
  return await runHaproxy("haproxy.cfg", changes, "holdfast/one");
}

/** HAProxy in front of several servers, whose health it looks at every `checkMs`. */
export async function startHaproxyOfFleet(serverUrls: readonly string[], checkMs: number): Promise<Proxy> {
  const servers = serverUrls.map((url, i) => `  server s${i + 1} ${new URL(url).host}\n`);
  const changes = { "  server one 127.0.0.1:8080\n": servers.join(""), "inter 1s": `inter ${checkMs}ms` };
  return await runHaproxy("haproxy.cfg", changes, `holdfast/s${serverUrls.length}`);
}

/** HAProxy in front of two servers, each goods at one of them: deploy/haproxy/by_goods.cfg with fewer servers. */
export async function startHaproxyByGoods(serverUrls: readonly [string, string]): Promise<Proxy> {
  const changes = {
    "10.0.0.1:8080": new URL(serverUrls[0]).host,
    "10.0.0.2:8080": new URL(serverUrls[1]).host,
    "  server three 10.0.0.3:8080 id 3\n": "",
    "  server four 10.0.0.4:8080 id 4\n": "",
  };
  return await runHaproxy("by_goods.cfg", changes, "by_goods/two");
}

/**
 * Runs it by a file of deploy/haproxy with the certificate of the tests. Its own check of `server`'s health must have
 * succeeded.
 */
async function runHaproxy(file: string, changes: Changes, server: string): Promise<Proxy> {
  const port = freePort();
  const dir = await Deno.makeTempDir();
  const pem = join(dir, "stock.example.pem");
  const parts = await Promise.all([TLS_CERTIFICATE_FILE, TLS_KEY_FILE].map((file) => Deno.readTextFile(file)));
  await Deno.writeTextFile(pem, parts.join("\n"), { mode: 0o600 });
  const path = join(dir, "haproxy.cfg");
  const cfg = deployFile(`haproxy/${file}`, {
    ...changes,
    "8443": String(port),
    "/etc/haproxy/stock.example.pem": pem,
    "mode http": "mode http\n  log stdout format raw daemon\n  option log-health-checks",
  });
  await Deno.writeTextFile(path, cfg);
  // Until a check has failed it takes a server for healthy.
  return await start("haproxy", ["-db", "-f", path], dir, port, `Health check for server ${server} succeeded`);
}

/** Caddy in front of a server. */
export async function startCaddy(serverUrl: string): Promise<Proxy> {
  const port = freePort();
  const dir = await Deno.makeTempDir();
  const path = join(dir, "Caddyfile");
  const site = deployFile("caddy/Caddyfile", {
    "127.0.0.1:8080": new URL(serverUrl).host,
    "stock.example:8443": `127.0.0.1:${port}`,
    "/etc/ssl/stock.example.pem": TLS_CERTIFICATE_FILE,
    "/etc/ssl/stock.example.key": TLS_KEY_FILE,
  });
  // It has a port for its administration, and one that sends browsers to the other, where nothing says that it has not.
  await Deno.writeTextFile(path, `{\nadmin off\nauto_https off\nstorage file_system ${dir}\n}\n${site}`);
  return await start(
    "caddy",
    ["run", "--config", path, "--adapter", "caddyfile"],
    dir,
    port,
    "serving initial configuration",
  );
}

async function start(
  name: string,
  args: readonly string[],
  dir: string,
  port: number,
  readyText: string,
): Promise<Proxy> {
  const server = startServer({
    name,
    program: clientProgram(name),
    args,
    dir,
    cwd: dir,
    env: SERVER_ENVIRONMENT,
    mark: dir,
    // Its own words: on its port somebody else may listen.
    readyText,
  });
  const listens = () => Deno.connect({ hostname: "127.0.0.1", port }).then((it) => (it.close(), true), () => false);
  if (
    !await until(async () => !server.isAlive() || (server.isReady() && await listens()), START_MS_MAX) ||
    !server.isAlive()
  ) {
    await server.stop("SIGTERM", STOP_MS_MAX);
    throw new Error(`${name} does not start: ${server.tail()}`);
  }
  return { url: `https://127.0.0.1:${port}`, [Symbol.asyncDispose]: () => server.stop("SIGTERM", STOP_MS_MAX) };
}
