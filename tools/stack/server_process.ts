/**
 * One server process that we start: detached from the terminal, its output in a log file, a record of it on disk,
 * and an end that is always waited for.
 *
 * Detached means a process group of its own. Ctrl-C in a terminal goes to the whole group of the launcher, and
 * the stores must outlive the service that is still draining onto them.
 */
import { join } from "node:path";
import { splitLines } from "../../src/base/lines.ts";
import { endsBy, sendIfAlive, terminate } from "../../src/base/terminate.ts";
import { removeRecord, writeRecord } from "./process_record.ts";
import { settled } from "../../src/base/bounded_wait.ts";

/** Kept of the output, to say why a server ended. */
const TAIL_CHARACTERS_MAX = 2_000;
/** After the process has ended, its own children may keep its output open for so long. */
const OUTPUT_END_MS_MAX = 1_000;

/** What to start, and where. `mark` is a text of its command line that no other process has. */
export interface ServerCommand {
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  /** Its log and record are kept here. */
  readonly dir: string;
  readonly mark: string;
  /** All of its environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Its standard input, for what nobody else may read; there is none without it. */
  readonly input?: string;
  /** What it writes once it is ready. It alone writes its output, while its port may be somebody else's. */
  readonly readyText?: string;
  readonly cwd: string;
  /** Run as this user; only root may. */
  readonly user?: { readonly uid: number; readonly gid: number } | undefined;
  /** Gets every line of standard output; without it standard output goes to the log file too. */
  readonly onLine?: (line: string) => void;
  /** Standard error goes to ours and not to a log file. */
  readonly errorsToOurs?: boolean;
}

/** A started server. `ended` resolves when the process is gone, its output is read and its record removed. */
export interface ServerProcess {
  readonly name: string;
  readonly pid: number;
  readonly ended: Promise<Deno.CommandStatus>;
  /** False from the moment at which the process was seen to have ended. */
  isAlive(): boolean;
  /** True once it has written `readyText`. */
  isReady(): boolean;
  /** Sends a signal; does nothing when the process has ended. */
  signal(name: Deno.Signal): void;
  /** The last of its output. */
  tail(): string;
  /** Sends `name`, and SIGKILL when the process is still there `msMax` milliseconds later. */
  stop(name: Deno.Signal, msMax: number): Promise<void>;
}

/**
 * Starts a server. It is not ready yet when this returns.
 *
 * @throws Error when the program cannot be started
 */
export function startServer(command: ServerCommand): ServerProcess {
  const child = new Deno.Command(command.program, {
    args: [...command.args],
    detached: true,
    stdin: command.input === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: command.errorsToOurs === true ? "inherit" : "piped",
    cwd: command.cwd,
    env: command.env,
    clearEnv: true,
    ...(command.user === undefined ? {} : { uid: command.user.uid, gid: command.user.gid }),
  }).spawn();
  writeRecord(command.dir, command.name, child.pid, command.mark);
  if (command.input !== undefined) void hand(child.stdin, command.input);

  const log = command.errorsToOurs === true ? undefined : Deno.openSync(join(command.dir, `${command.name}.log`), {
    append: true,
    create: true,
    mode: 0o600,
  });
  let tail = "";
  let ready = false;
  const toLog = (text: string) => {
    const read = tail + text;
    ready ||= command.readyText !== undefined && read.includes(command.readyText);
    tail = read.slice(-TAIL_CHARACTERS_MAX);
    log?.writeSync(new TextEncoder().encode(text));
  };
  const readers = [
    read(child.stdout, command.onLine === undefined ? toLog : splitLines(command.onLine).take),
    ...(command.errorsToOurs === true ? [] : [read(child.stderr, toLog)]),
  ];

  let alive = true;
  const ended = child.status.then(async (status) => {
    alive = false;
    const done = Promise.all(readers.map((reader) => reader.done));
    if (!await settled(done, OUTPUT_END_MS_MAX)) { for (const reader of readers) reader.cancel(); }
    await done;
    log?.close();
    await removeRecord(command.dir, command.name);
    return status;
  });

  const signal = (name: Deno.Signal) => {
    if (alive) sendIfAlive(() => child.kill(name));
  };
  return {
    name: command.name,
    pid: child.pid,
    ended,
    isAlive: () => alive,
    isReady: () => ready,
    signal,
    tail: () => tail.trim(),
    async stop(name, msMax) {
      await terminate({ send: signal, endsWithin: endsBy(ended) }, name, msMax);
      await ended;
    },
  };
}

async function hand(stdin: WritableStream<Uint8Array>, text: string): Promise<void> {
  const writer = stdin.getWriter();
  try {
    await writer.write(new TextEncoder().encode(text));
    await writer.close();
  } catch {
    // It ended without having read it, and its output says why.
  }
}

function read(stream: ReadableStream<Uint8Array>, take: (text: string) => void) {
  const reader = stream.pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array, string>).getReader();
  const done = (async () => {
    for (let part = await reader.read(); !part.done; part = await reader.read()) take(part.value);
  })().catch(() => {});
  return { done, cancel: () => void reader.cancel().catch(() => {}) };
}
