/**
 * Installs packages with apt, where we may: as root, or with a sudo that asks nothing.
 *
 * Debian starts a server as soon as it is installed. A launcher that brings its own private servers must not leave a
 * system-wide one running on a well-known port, so the start is kept from happening.
 */
import { setTimeout as delay } from "node:timers/promises";
import { denoEnvironment } from "../../src/process/child_environment.ts";
import type { Log } from "../../src/telemetry/log.ts";

/** Another apt may be at work, such as a second launcher's; it is waited for this long in total. */
const TRIES_MAX = 30;
const TRY_AGAIN_MS = 4_000;
/** All clients of the tests are some 250 MB to fetch and 1.4 GB on disk. */
const INSTALL_MS_MAX = 600_000;
const WORDS_CHARACTERS_MAX = 400;

const ENVIRONMENT = {
  DEBIAN_FRONTEND: "noninteractive",
  LC_ALL: "C",
  // What a package's script asks before it starts its server: init scripts look at the run level (1 = nothing is
  // started), systemctl at SYSTEMD_OFFLINE (as in an image being built).
  RUNLEVEL: "1",
  SYSTEMD_OFFLINE: "1",
} as const;

/**
 * Installs packages, after an update of the package lists.
 *
 * @throws Error when there is no apt, when we may not use it, or with its own words when it failed
 */
export async function aptInstall(names: readonly string[], log: Log): Promise<void> {
  const prefix = await aptPrefix();
  log.info({ packages: names }, "installing with apt-get, this can take a minute");
  await apt(prefix, ["update", "-q"], log);
  await apt(prefix, ["install", "-y", "-q", "--no-install-recommends", ...names], log);
  log.info({ packages: names }, "installed");
}

async function aptPrefix(): Promise<string[]> {
  const assignments = Object.entries(ENVIRONMENT).map(([key, value]) => `${key}=${value}`);
  if (!await succeeds("apt-get", ["--version"])) throw new Error("there is no apt-get");
  if (Deno.uid() === 0) return ["env", ...assignments, "apt-get"];
  if (await succeeds("sudo", ["-n", "true"])) return ["sudo", "-n", "env", ...assignments, "apt-get"];
  throw new Error("apt-get needs root, and sudo asks for a password");
}

async function apt(prefix: string[], args: string[], log: Log): Promise<void> {
  for (let attempt = 1;; attempt++) {
    const [program, ...rest] = [...prefix, ...args];
    const signal = AbortSignal.timeout(INSTALL_MS_MAX);
    const command = new Deno.Command(program!, {
      args: rest, // The scripts of packages run as root.
      env: denoEnvironment(),
      clearEnv: true,
      stdin: "null",
      signal,
    });
    const { success, stderr } = await command.output();
    if (success) return;
    const words = new TextDecoder().decode(stderr).trim();
    const locked = /Could not get lock|Unable to (acquire|lock)/.test(words);
    if (!locked || attempt >= TRIES_MAX) {
      throw new Error(`apt-get ${args[0]} failed: ${words.slice(-WORDS_CHARACTERS_MAX)}`);
    }
    log.info({ attempt }, "another apt is at work, waiting for it");
    await delay(TRY_AGAIN_MS);
  }
}

async function succeeds(program: string, args: string[]): Promise<boolean> {
  try {
    return (await new Deno.Command(program, {
      args,
      env: denoEnvironment(),
      clearEnv: true,
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).output()).success;
  } catch {
    return false;
  }
}
