/**
 * How a Redis node is started and signalled, as a program of this machine or in a container. In a container the process
 * that we started is only the client, so what a signal would do is asked of the engine.
 */
import { dockerEnvironment, SERVER_ENVIRONMENT } from "../../src/process/child_environment.ts";
import type { RedisProgram } from "./programs.ts";
import type { ServerCommand, ServerProcess } from "./server_process.ts";
import type { SystemUser } from "./system_user.ts";

/** Same major version as Debian's package; pinned, so that two machines run the same. */
const REDIS_IMAGE = "redis:7.4.2-bookworm";
/** The port inside a container; only the one outside is ours to choose. */
const CONTAINER_PORT = 6379;
/** Written once the port is bound. */
const READY_TEXT = "Ready to accept connections";
/**
 * Leases are worth nothing after a restart, as a node that has just started has no vote: nothing is kept. And a node
 * looks after itself once a second instead of ten times, as each of the 40 idle nodes of the tests took 0.9 ms of CPU a
 * second for that. Whoever asks for an expired key finds it gone at once all the same.
 */
const SETTINGS = ["--save", "", "--appendonly", "no", "--hz", "1"] as const;

export interface RedisCommandOptions {
  readonly program: RedisProgram;
  readonly dir: string;
  readonly port: number;
  /** Lines of its configuration that nobody else may read. */
  readonly input: string;
  /** Run as this user; only root may. */
  readonly user: SystemUser | undefined;
}

/** The command that runs one node in the foreground until SIGTERM. */
export function redisCommand({ program, dir, port, input, user }: RedisCommandOptions): ServerCommand {
  const common = { name: "redis", program: program.path, dir, cwd: "/", input, readyText: READY_TEXT };
  if (program.kind === "program") {
    const args = ["-", "--bind", "127.0.0.1", "--port", String(port), "--protected-mode", "yes"];
    args.push("--daemonize", "no", ...SETTINGS);
    // Redis rewrites its command line to "redis-server 127.0.0.1:<port>".
    return { ...common, args, mark: String(port), env: SERVER_ENVIRONMENT, user };
  }
  // The client in the foreground hands SIGTERM on to the container and ends with it.
  const name = containerName(port);
  const args = ["run", "--rm", "--init", "--interactive", "--name", name];
  args.push("--publish", `127.0.0.1:${port}:${CONTAINER_PORT}`, "--user", "redis", "--read-only", "--cap-drop", "ALL");
  args.push("--security-opt", "no-new-privileges", REDIS_IMAGE, "redis-server", "-", "--protected-mode", "no");
  args.push(...SETTINGS);
  return { ...common, args, mark: name, env: dockerEnvironment() };
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

/** Removes the container that a killed client left, because its name would be taken. */
export function removeStrayContainer(program: RedisProgram, port: number): void {
  if (program.kind === "docker") askEngine(program, ["rm", "--force", containerName(port)]);
}

function askEngine(program: RedisProgram, args: string[]): void {
  const env = dockerEnvironment();
  new Deno.Command(program.path, { args, env, clearEnv: true, stdin: "null", stdout: "null", stderr: "null" })
    .outputSync();
}

function containerName(port: number): string {
  return `holdfast-redis-${port}`;
}
