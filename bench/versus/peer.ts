/** The article's service in Go (bench/peer): compiled where that is due, and started over the run's own servers. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { cpuMs } from "../../src/process/facts.ts";
import { SERVER_ENVIRONMENT, systemEnvironment } from "../../src/process/child_environment.ts";
import { until } from "../../src/base/bounded_wait.ts";
import { startServer } from "../../tools/stack/server_process.ts";
import type { BenchStack } from "../bench_stack.ts";
import { owner, UNITS } from "../databases.ts";
import type { MeasuredServer } from "./measured_server.ts";
import { GO_LIBRARIES, type VersusPrograms } from "./programs.ts";
import { GOODS } from "./scenarios.ts";

const SOURCES = fileURLToPath(new URL("../peer/", import.meta.url));
const CONTRACT = fileURLToPath(new URL("../../proto/article/", import.meta.url));
const DATABASE = "peer";
/** With nothing compiled before, on a busy machine. */
const BUILD_MS_MAX = 180_000;
const START_MS_MAX = 15_000;
const STOP_MS_MAX = 5_000;
const WORDS_CHARACTERS_MAX = 2_000;

/**
 * Compiles it below `dir`, where what was compiled is kept for the next time.
 *
 * @returns path of the program
 * @throws Error with the compiler's words
 */
export async function buildPeer(dir: string, { go, protoc }: VersusPrograms): Promise<string> {
  const root = join(dir, "peer");
  const sources = join(root, "src/peer");
  await Deno.remove(sources, { recursive: true }).catch(() => {});
  await Deno.mkdir(join(sources, "article"), { recursive: true });
  for await (const { name } of Deno.readDir(SOURCES)) await Deno.copyFile(join(SOURCES, name), join(sources, name));
  const options = "plugins=grpc,import_path=article,paths=source_relative";
  await run(protoc, [`-I${CONTRACT}`, `--go_out=${options}:${join(sources, "article")}`, "inventory.proto"]);
  const program = join(root, "bin/peer");
  await run(go, ["build", "-o", program, "peer"], {
    GO111MODULE: "off",
    GOPATH: `${root}:${GO_LIBRARIES}`,
    GOCACHE: join(root, "cache"),
    GOFLAGS: "",
  });
  return program;
}

/**
 * Starts it with {@link GOODS} goods in a database of its own.
 *
 * @throws Error with its last words where it does not start
 */
export async function startPeer(program: string, stack: BenchStack): Promise<MeasuredServer> {
  const { postgres, redisUrls, dir } = stack;
  await postgres.createDatabase(DATABASE);
  let address: string | undefined;
  const server = startServer({
    name: "peer",
    program,
    args: [],
    dir,
    cwd: dir,
    mark: program,
    // By environment, because everybody on the machine can read a command line.
    env: {
      ...SERVER_ENVIRONMENT,
      DATABASE_URL: postgres.ownerUrl(DATABASE),
      REDIS_URLS: redisUrls.join(","),
    },
    onLine: (line) => address ??= /^listening on (\S+)$/.exec(line)?.[1],
  });
  await until(() => !server.isAlive() || address !== undefined, START_MS_MAX);
  if (address === undefined) {
    await server.stop("SIGTERM", STOP_MS_MAX);
    throw new Error(`bench/peer does not start: ${server.tail()}`);
  }
  const sql = owner(postgres, DATABASE);
  await sql`insert into inventory (goods, sticks, version)
            select goods, ${UNITS}, 0 from generate_series(1, ${GOODS}::integer) as goods`;
  return {
    url: `http://${address}`,
    cpuMs: () => cpuMs(server.pid),
    async sold() {
      const [row] = await sql<{ sticks: string }[]>`select sum(sticks) as sticks from inventory`;
      return GOODS * UNITS - Number(row?.sticks);
    },
    async close() {
      await sql.end({ timeout: 1 });
      await server.stop("SIGTERM", STOP_MS_MAX);
    },
  };
}

async function run(program: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const { success, stderr } = await new Deno.Command(program, {
    args: [...args],
    env: { ...systemEnvironment(), ...env },
    clearEnv: true,
    stdin: "null",
    signal: AbortSignal.timeout(BUILD_MS_MAX),
  }).output();
  const words = new TextDecoder().decode(stderr).slice(-WORDS_CHARACTERS_MAX);
  if (!success) throw new Error(`${program} ${args[0]} failed: ${words}`);
}
