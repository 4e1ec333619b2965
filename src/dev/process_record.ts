/**
 * Which process serves a directory, written down next to its data, so that a launcher that was killed leaves nothing
 * behind: the next one finds the record, makes sure that the process is still the recorded one, and stops it.
 *
 * A process id alone proves nothing, because systems give it out again. A process counts as the recorded one when its
 * start time is the same and its command line still holds the recorded mark.
 */
import { join } from "node:path";
import { until } from "./wait.ts";

/** Time that a stray gets to stop by itself before it is killed, and to disappear after that. */
const STRAY_STOP_MS_MAX = 10_000;
const STRAY_KILL_MS_MAX = 5_000;
/** Directories deeper than this hold no servers of ours. */
const SEARCH_DEPTH_MAX = 4;
/** Big, and nothing of ours is in them. */
const SKIPPED = new Set(["data", "node_modules"]);
const RECORD_SUFFIX = ".process.json";

/** One running server. `mark` is a text of its command line; `startedAt` is the system's own notion of its start. */
export interface ProcessRecord {
  readonly name: string;
  readonly pid: number;
  readonly startedAt: string;
  readonly mark: string;
}

/** Writes down that `pid` now serves `dir` under `name`. Synchronous, so that no kill of ours falls in between. */
export function writeRecord(dir: string, name: string, pid: number, mark: string): void {
  const startedAt = lookAt(pid)?.startedAt ?? "";
  const record: ProcessRecord = { name, pid, startedAt, mark };
  Deno.writeTextFileSync(recordPath(dir, name), JSON.stringify(record) + "\n");
}

/** Takes the record away, after its process has ended. */
export async function removeRecord(dir: string, name: string): Promise<void> {
  await Deno.remove(recordPath(dir, name)).catch(ignoreMissing);
}

/** The records under `root`, at most {@link SEARCH_DEPTH_MAX} directories deep. A torn record is skipped. */
export async function findRecords(root: string, depth = 0): Promise<{ dir: string; record: ProcessRecord }[]> {
  const found: { dir: string; record: ProcessRecord }[] = [];
  let entries: Deno.DirEntry[];
  try {
    entries = await Array.fromAsync(Deno.readDir(root));
  } catch (error) {
    ignoreMissing(error);
    return found;
  }
  for (const entry of entries) {
    const path = join(root, entry.name);
    if (entry.isFile && entry.name.endsWith(RECORD_SUFFIX)) {
      const record = parse(await Deno.readTextFile(path));
      if (record !== undefined) found.push({ dir: root, record });
    } else if (entry.isDirectory && !SKIPPED.has(entry.name) && depth < SEARCH_DEPTH_MAX) {
      found.push(...await findRecords(path, depth + 1));
    }
  }
  return found;
}

/**
 * Stops every recorded server under `root` that still runs, and removes the records.
 *
 * @returns the names and process ids of those that were stopped, for the log
 * @throws Error when one does not go away even after SIGKILL
 */
export async function stopStrays(root: string): Promise<string[]> {
  const found = await findRecords(root);
  const stopped = await Promise.all(found.map(async ({ dir, record }) => {
    const wasRunning = await stopStray(record);
    await removeRecord(dir, record.name);
    return wasRunning ? [`${record.name} (process ${record.pid})`] : [];
  }));
  return stopped.flat();
}

/** True while the very process of the record runs. */
export function isRunning(record: ProcessRecord): boolean {
  const seen = lookAt(record.pid);
  return seen !== undefined && seen.startedAt === record.startedAt && seen.commandLine.includes(record.mark);
}

async function stopStray(record: ProcessRecord): Promise<boolean> {
  if (!isRunning(record)) return false;
  // A paused process does not see SIGTERM before it goes on. PostgreSQL takes SIGINT as its fast shutdown, while
  // SIGTERM would wait for its clients to leave.
  signal(record.pid, "SIGCONT");
  signal(record.pid, record.name === "postgres" ? "SIGINT" : "SIGTERM");
  if (await until(() => !isRunning(record), STRAY_STOP_MS_MAX)) return true;
  signal(record.pid, "SIGKILL");
  if (await until(() => !isRunning(record), STRAY_KILL_MS_MAX)) return true;
  throw new Error(
    `A ${record.name} left by an earlier run does not stop: end process ${record.pid} by hand, then start again`,
  );
}

function signal(pid: number, name: Deno.Signal): void {
  try {
    Deno.kill(pid, name);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound) && !(error instanceof TypeError)) throw error;
  }
}

/** Start time and command line of a living process. A zombie counts as gone: it only waits to be collected. */
function lookAt(pid: number): { startedAt: string; commandLine: string } | undefined {
  return Deno.build.os === "linux" ? lookAtLinux(pid) : lookAtElsewhere(pid);
}

function lookAtLinux(pid: number): { startedAt: string; commandLine: string } | undefined {
  // Deno opens /proc to programs with every permission only, so another program reads it.
  const text = output("cat", [`/proc/${pid}/stat`, `/proc/${pid}/cmdline`]);
  // The second field, the name, is in parentheses and may itself hold spaces and parentheses.
  const nameEnd = text.lastIndexOf(") ", text.indexOf("\n"));
  const lineEnd = text.indexOf("\n");
  if (nameEnd < 0 || lineEnd < 0) return undefined;
  const fields = text.slice(nameEnd + 2, lineEnd).split(" ");
  const state = fields[0];
  const startTicks = fields[19];
  if (state === "Z" || state === "X" || startTicks === undefined) return undefined;
  return { startedAt: startTicks, commandLine: text.slice(lineEnd + 1).replaceAll("\0", " ") };
}

function lookAtElsewhere(pid: number): { startedAt: string; commandLine: string } | undefined {
  const line = output("ps", ["-o", "stat=,lstart=,command=", "-p", String(pid)]).trim();
  const parts = /^(\S+)\s+(\S+\s+\S+\s+\d+\s+\S+\s+\d+)\s+(.*)$/s.exec(line);
  if (parts === null || parts[1]?.startsWith("Z")) return undefined;
  return { startedAt: parts[2] ?? "", commandLine: parts[3] ?? "" };
}

function output(program: string, args: string[]): string {
  const { stdout } = new Deno.Command(program, { args, stdin: "null", stderr: "null" }).outputSync();
  return new TextDecoder().decode(stdout);
}

function recordPath(dir: string, name: string): string {
  return join(dir, `${name}${RECORD_SUFFIX}`);
}

function parse(text: string): ProcessRecord | undefined {
  try {
    const value = JSON.parse(text);
    return Number.isInteger(value.pid) && value.pid > 1 ? value as ProcessRecord : undefined;
  } catch {
    return undefined;
  }
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
