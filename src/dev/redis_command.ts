/** How a Redis node is started, as a program of this machine or in a container. */
import { join } from "node:path";
import type { RedisProgram } from "./programs.ts";
import type { ServerCommand } from "./server_process.ts";

/** Same major version as Debian's package; pinned, so that two machines run the same. */
const REDIS_IMAGE = "redis:7.4.2-bookworm";
/** The port inside a container; only the one outside is ours to choose. */
const CONTAINER_PORT = 6379;

export interface RedisCommandOptions {
  readonly program: RedisProgram;
  readonly dir: string;
  readonly port: number;
  readonly persist: boolean;
}

/** The command that runs one node in the foreground until SIGTERM. */
export function redisCommand({ program, dir, port, persist }: RedisCommandOptions): ServerCommand {
  const keep = persist ? ["--appendonly", "yes", "--appendfsync", "everysec"] : ["--appendonly", "no"];
  if (program.kind === "program") {
    const args = ["--bind", "127.0.0.1", "--port", String(port), "--protected-mode", "yes", "--dir", dir];
    args.push("--daemonize", "no", "--save", "", ...keep);
    // Redis rewrites its command line to "redis-server 127.0.0.1:<port>".
    return { name: "redis", program: program.path, args, dir, mark: String(port) };
  }
  // The client in the foreground hands SIGTERM on to the container and ends with it.
  const name = `holdfast-redis-${port}`;
  const args = ["run", "--rm", "--init", "--name", name, "--publish", `127.0.0.1:${port}:${CONTAINER_PORT}`];
  if (Deno.build.os !== "windows") args.push("--user", `${Deno.uid()}:${Deno.gid()}`);
  args.push("--volume", `${join(dir)}:/data`, REDIS_IMAGE, "redis-server", "--protected-mode", "no");
  args.push("--save", "", ...keep);
  return { name: "redis", program: program.path, args, dir, mark: name };
}
