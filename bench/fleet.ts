/**
 * Several servers behind HAProxy, as deploy/haproxy/by_goods.cfg has them but in clear: the four of a run, each of them
 * alone, and the four without regard to goods.
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { SERVER_ENVIRONMENT } from "../src/process/child_environment.ts";
import { until } from "../src/base/bounded_wait.ts";
import type { Log } from "../src/telemetry/log.ts";
import { aptInstall } from "../tools/stack/apt.ts";
import { freePort } from "../tools/stack/ports.ts";
import { findProgram } from "../tools/stack/programs.ts";
import { startServer } from "../tools/stack/server_process.ts";
import { type Fleet, FLEETS } from "./load/protocol.ts";

const CONFIG = fileURLToPath(new URL("../deploy/haproxy/by_goods.cfg", import.meta.url));
const START_MS_MAX = 15_000;
const STOP_MS_MAX = 5_000;

/** Running balancers. `await using` stops them. */
export interface Balancers extends AsyncDisposable {
  /** Of `one` an address for each server, of the others one. */
  readonly urls: Readonly<Record<Fleet, readonly string[]>>;
}

/**
 * Starts those of {@link FLEETS}; HAProxy is brought in where it is missing.
 *
 * @throws Error where it does not start
 */
export async function startBalancers(dir: string, serverUrls: readonly string[], log: Log): Promise<Balancers> {
  if (findProgram("haproxy") === undefined) await aptInstall(["haproxy"], log);
  const program = findProgram("haproxy");
  if (program === undefined) throw new Error("haproxy is missing: install it (`sudo apt-get install haproxy`)");
  const text = await Deno.readTextFile(CONFIG);
  await using started = new AsyncDisposableStack();
  const urls: Record<Fleet, string[]> = { one: [], by_goods: [], round_robin: [] };
  const all = FLEETS.flatMap((fleet) =>
    (fleet === "one" ? serverUrls.map((url) => [url]) : [serverUrls]).map((servers, i) => ({
      fleet,
      servers,
      name: `haproxy_${fleet}_${i + 1}`,
    }))
  );
  for (const { fleet, servers, name } of all) {
    const port = freePort();
    const path = join(dir, `${name}.cfg`);
    await Deno.writeTextFile(path, inClear(text, port, servers, fleet));
    const server = startServer({
      name,
      program,
      args: ["-db", "-f", path],
      dir,
      cwd: dir,
      env: SERVER_ENVIRONMENT,
      mark: path,
    });
    started.defer(() => server.stop("SIGTERM", STOP_MS_MAX));
    const listens = () => Deno.connect({ hostname: "127.0.0.1", port }).then((it) => (it.close(), true), () => false);
    if (!await until(async () => !server.isAlive() || await listens(), START_MS_MAX) || !server.isAlive()) {
      throw new Error(`haproxy does not start: ${server.tail()}`);
    }
    urls[fleet].push(`http://127.0.0.1:${port}`);
  }
  const running = started.move();
  return {
    urls,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** The configuration with these servers, which the bench reaches by cleartext HTTP/2. */
function inClear(text: string, port: number, serverUrls: readonly string[], fleet: Fleet): string {
  const lines = text.split("\n").filter((line) => !/^ +server /.test(line)).map((line) =>
    line.replace(/^ +bind .*$/, `  bind 127.0.0.1:${port} proto h2`)
  );
  const servers = serverUrls.map((url, i) => `  server s${i + 1} ${new URL(url).host} id ${i + 1}`);
  const all = `${lines.join("\n").trimEnd()}\n${servers.join("\n")}\n`;
  return fleet === "round_robin" ? all.replace(/^ +balance .*\n +# .*\n +hash-type .*$/m, "  balance roundrobin") : all;
}
