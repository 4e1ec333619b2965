/** A service of a tool's own: `deno task up` in a temporary directory, on ports that are free. */
import { join } from "node:path";
import { settled, until } from "../src/base/bounded_wait.ts";
import { denoEnvironment } from "../src/process/child_environment.ts";
import { freePorts } from "./stack/ports.ts";

const SERVING_MS_MAX = 60_000;
const STOP_MS_MAX = 60_000;
const ROOT = new URL("../", import.meta.url).pathname;

/** A running service. `await using` stops it and removes all that it wrote. */
export interface OwnUp extends AsyncDisposable {
  /** As `http://127.0.0.1:43210`. */
  readonly url: string;
  readonly adminPort: number;
  /** The tool's own directory; anybody may look into it, as PostgreSQL runs as another user when we are root. */
  readonly dir: string;
  readonly dataDir: string;
}

/**
 * Starts it and waits until it serves.
 *
 * @throws Error where it does not in time
 */
export async function startOwnUp(name: string, settings: Readonly<Record<string, string>>): Promise<OwnUp> {
  const dir = await Deno.makeTempDir({ prefix: `${name}-` });
  await Deno.chmod(dir, 0o755);
  const [port, adminPort] = freePorts(2) as [number, number];
  const dataDir = join(dir, "data");
  const child = new Deno.Command(Deno.execPath(), {
    args: taskArgs("up"),
    cwd: ROOT,
    env: {
      ...denoEnvironment(),
      ...{ LOG_LEVEL: "warn", PORT: `${port}`, ADMIN_PORT: `${adminPort}`, DATA_DIR: dataDir },
      ...settings,
    },
    clearEnv: true,
    stdin: "null",
    stdout: "null",
  }).spawn();
  const dispose = async () => {
    child.kill("SIGTERM");
    if (!await settled(child.status, STOP_MS_MAX)) child.kill("SIGKILL");
    await Deno.remove(dir, { recursive: true });
  };
  const url = `http://127.0.0.1:${port}`;
  if (!await until(() => isServing(url), SERVING_MS_MAX)) {
    await dispose();
    throw new Error("`up` does not serve");
  }
  return { url, adminPort, dir, dataDir, [Symbol.asyncDispose]: dispose };
}

/** How a task of `deno.json` runs Deno, with its permissions. */
export function taskArgs(name: string): string[] {
  const { tasks } = JSON.parse(Deno.readTextFileSync(join(ROOT, "deno.json"))) as { tasks: Record<string, string> };
  const [deno, ...args] = tasks[name]!.split(" ");
  if (deno !== "deno") throw new Error(`the task ${name} does not run deno alone`);
  return args;
}

async function isServing(url: string): Promise<boolean> {
  try {
    const answer = await fetch(`${url}/readyz`);
    await answer.body?.cancel();
    return answer.ok;
  } catch {
    return false;
  }
}
