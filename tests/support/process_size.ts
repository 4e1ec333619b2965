/**
 * What a process takes of the machine, as the kernel counts it. By `cat` and `ls`, because Deno opens nothing under
 * /proc except to a program that is granted everything, which the tests are not.
 */

/** As /proc/net/tcp has it. */
const ESTABLISHED = "01";

/** Memory and open files of a process. */
export interface ProcessSize {
  /** Resident memory, in MiB. */
  readonly residentMiB: number;
  /** The most resident memory that it has had since its start, in MiB. */
  readonly peakMiB: number;
  /** File descriptors, sockets among them. */
  readonly openFiles: number;
}

/**
 * Measures a process. Linux only.
 *
 * @throws Error where the process is gone
 */
export async function processSize(pid: number): Promise<ProcessSize> {
  const status = await output("cat", `/proc/${pid}/status`);
  const files = await output("ls", `/proc/${pid}/fd`);
  const inMiB = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(status)?.[1]) / 1024;
  return { residentMiB: inMiB("VmRSS"), peakMiB: inMiB("VmHWM"), openFiles: files.trim().split("\n").length };
}

/** Connections that a server has on a port of 127.0.0.1. Linux only. */
export async function connectionsOn(port: number): Promise<number> {
  const local = `0100007F:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const lines = (await output("cat", "/proc/net/tcp")).split("\n").map((line) => line.trim().split(/\s+/));
  return lines.filter(([, address, , state]) => address === local && state === ESTABLISHED).length;
}

/** What the main thread of a process has had of processors so far, and how long it was ready and had none, in ms. */
export interface Processors {
  readonly usedMs: number;
  readonly waitedMs: number;
}

/** Measures it. Linux only. @throws Error where the process is gone */
export async function processorsOf(pid: number): Promise<Processors> {
  const [used, waited] = (await output("cat", `/proc/${pid}/schedstat`)).split(" ").map((ns) => Number(ns) / 1e6);
  return { usedMs: used!, waitedMs: waited! };
}

/** By how much the machine stretched what it did from one moment to another: 1 where it always had a processor. */
export function stretchOf(before: Processors, after: Processors): number {
  const usedMs = after.usedMs - before.usedMs;
  return usedMs <= 0 ? 1 : (usedMs + after.waitedMs - before.waitedMs) / usedMs;
}

async function output(program: string, path: string): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, { args: [path] }).output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(`${program} ${path}: ${decoder.decode(stderr)}`);
  return decoder.decode(stdout);
}
