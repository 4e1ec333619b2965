/**
 * Which process serves a directory, written down next to its data, so that a launcher that was killed leaves nothing
 * behind: the next one finds the record, makes sure that the process is still the recorded one, and stops it.
 *
 * A process id alone proves nothing, because systems give it out again. A process counts as the recorded one when its
 * start time is the same and its command line still has the recorded mark. A record counts only where nobody else can
 * have written it: whoever may write one can have any process of ours ended.
 */
import { join } from "node:path";
import { terminate } from "../../src/base/terminate.ts";
import { ignoreMissing } from "./missing_files.ts";
import { isOursAlone } from "./own_directory.ts";
import { processFacts } from "../../src/process/facts.ts";
import { until } from "../../src/base/bounded_wait.ts";

/** Time that a stray gets to stop by itself before it is killed, and to disappear after that. */
const STRAY_STOP_MS_MAX = 10_000;
const STRAY_KILL_MS_MAX = 5_000;
/** Directories deeper than this have no servers of ours. */
const SEARCH_DEPTH_MAX = 4;
/** Big, and nothing of ours is in them. */
const SKIPPED = new Set(["data", "node_modules"]);
const RECORD_BYTES_MAX = 4_096;
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
  const startedAt = processFacts(pid)?.startedAt ?? "";
  const record: ProcessRecord = { name, pid, startedAt, mark };
  Deno.writeTextFileSync(recordPath(dir, name), JSON.stringify(record) + "\n", { mode: 0o600 });
}

/** Takes the record away, after its process has ended. */
export async function removeRecord(dir: string, name: string): Promise<void> {
  await Deno.remove(recordPath(dir, name)).catch(ignoreMissing);
}

/** A record, and the directory in which it was found. */
export interface FoundRecord {
  readonly dir: string;
  readonly record: ProcessRecord;
}

/**
 * The records under `root`, at most {@link SEARCH_DEPTH_MAX} directories deep. A torn record is skipped, and so is
 * whatever others than this user can write.
 */
export async function findRecords(root: string, depth = 0): Promise<FoundRecord[]> {
  const found: FoundRecord[] = [];
  let entries: Deno.DirEntry[];
  try {
    if (!isOursAlone(await Deno.lstat(root))) return found;
    entries = await Array.fromAsync(Deno.readDir(root));
  } catch (error) {
    ignoreMissing(error);
    return found;
  }
  for (const entry of entries) {
    const path = join(root, entry.name);
    if (entry.isFile && entry.name.endsWith(RECORD_SUFFIX)) {
      const record = await readRecord(path);
      // Named after what it is of, so that it is itself that is removed later.
      if (record !== undefined && recordPath(root, record.name) === path) found.push({ dir: root, record });
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
function isRunning(record: ProcessRecord): boolean {
  const seen = processFacts(record.pid);
  return seen !== undefined && seen.startedAt === record.startedAt && seen.commandLine.includes(record.mark);
}

async function stopStray(record: ProcessRecord): Promise<boolean> {
  if (!isRunning(record)) return false;
  const endsWithin = (msMax: number) => until(() => !isRunning(record), msMax);
  // PostgreSQL takes SIGINT as its fast shutdown, while SIGTERM would wait for its clients to leave.
  const stop = record.name === "postgres" ? "SIGINT" : "SIGTERM";
  const ending = { send: (name: Deno.Signal) => Deno.kill(record.pid, name), endsWithin };
  if (await terminate(ending, stop, STRAY_STOP_MS_MAX) || await endsWithin(STRAY_KILL_MS_MAX)) return true;
  throw new Error(
    `A ${record.name} left by an earlier run does not stop: end process ${record.pid} by hand, then start again`,
  );
}

function recordPath(dir: string, name: string): string {
  return join(dir, `${name}${RECORD_SUFFIX}`);
}

async function readRecord(path: string): Promise<ProcessRecord | undefined> {
  try {
    const info = await Deno.lstat(path);
    if (!info.isFile || info.size > RECORD_BYTES_MAX || !isOursAlone(info)) return undefined;
    return parse(await Deno.readTextFile(path));
  } catch (error) {
    // Its server has ended meanwhile.
    ignoreMissing(error);
    return undefined;
  }
}

/** A text that is empty would be found in every command line. */
function parse(text: string): ProcessRecord | undefined {
  let value: Partial<Record<keyof ProcessRecord, unknown>> | null;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { name, pid, startedAt, mark } = value ?? {};
  const texts = [name, startedAt, mark].every((part) => typeof part === "string" && part !== "");
  return texts && Number.isSafeInteger(pid) && (pid as number) > 1 ? value as ProcessRecord : undefined;
}
