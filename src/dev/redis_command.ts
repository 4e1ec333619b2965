/**
 * How a Redis node is started and signalled, as a program of this machine or in a container. In a container the process
 * that we started is only the client, so what a signal would do is asked of the engine.
 */
import type { RedisProgram } from "./programs.ts";
import type { ServerCommand, ServerProcess } from "./server_process.ts";

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
  const name = containerName(port);
  const args = ["run", "--rm", "--init", "--name", name, "--publish", `127.0.0.1:${port}:${CONTAINER_PORT}`];
  if (Deno.build.os !== "windows") args.push("--user", `${Deno.uid()}:${Deno.gid()}`);
  args.push("--volume", `${dir}:/data`, REDIS_IMAGE, "redis-server", "--protected-mode", "no");
  args.push("--save", "", ...keep);
  return { name: "redis", program: program.path, args, dir, mark: name };
}

/** Sends a signal to the node itself, wherever it runs. Does nothing when it has ended. */
export function signalRedis(
  program: RedisProgram,
  port: number,
  server: ServerProcess,
  name: "SIGSTOP" | "SIGCONT" | "SIGKILL",
): void {
  if (program.kind === "program") return server.signal(name);
  const command = { SIGSTOP: "pause", SIGCONT: "unpause", SIGKILL: "kill" }[name];
  askEngine(program, [command, containerName(port)]);
}

/** Removes the container that a killed client left, because its name would be in the way. */
export function removeStrayContainer(program: RedisProgram, port: number): void {
  if (program.kind === "docker") askEngine(program, ["rm", "--force", containerName(port)]);
}

function askEngine(program: RedisProgram, args: string[]): void {
  new Deno.Command(program.path, { args, stdin: "null", stdout: "null", stderr: "null" }).outputSync();
}

function containerName(port: number): string {
  return `holdfast-redis-${port}`;
}
