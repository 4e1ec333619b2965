/**
 * A process of the bench as it sees itself: answers questions on standard input, one after the other, until that ends,
 * which it also does when the run is killed.
 */
import type { Answer, LoadRun, Memory, Question, Tally, Targets } from "./protocol.ts";

const MIB = 1024 * 1024;

/** What a process can do, after it was given its targets. */
export interface Role {
  /** The answer to `open`: a server's address; nothing for others. */
  readonly url?: string;
  run?(order: LoadRun): Promise<Tally>;
  close(): Promise<void>;
}

/** Answers questions until there are no more, then closes. */
export async function converse(open: (targets: Targets) => Promise<Role>): Promise<void> {
  let role: Role | undefined;
  for await (const line of lines(Deno.stdin.readable)) {
    const question: Question = JSON.parse(line);
    let answer: Answer;
    try {
      if ("open" in question) {
        role = await open(question.open);
        answer = { ok: role.url ?? "" };
      } else if ("memory" in question) {
        if (question.memory === "collected") collectGarbage();
        answer = { ok: ownMemory() };
      } else {
        if (role?.run === undefined) throw new Error("This process runs no load, or was not opened");
        answer = { ok: await role.run(question.run) };
      }
    } catch (error) {
      answer = { error: error instanceof Error ? error.stack ?? error.message : String(error) };
    }
    await writeLine(answer);
  }
  await role?.close();
}

/** Only in a process that was started so that it can. */
function collectGarbage(): void {
  const { gc } = globalThis as { gc?: () => void };
  if (gc === undefined) throw new Error("This process can't be asked to collect its garbage");
  gc();
}

function ownMemory(): Memory {
  const { rss, heapUsed } = Deno.memoryUsage();
  return { residentMiB: rss / MIB, heapMiB: heapUsed / MIB };
}

/** The lines of a stream of text. */
export async function* lines(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let rest = "";
  const decoder = new TextDecoder();
  for await (const part of stream) {
    const parts = (rest + decoder.decode(part, { stream: true })).split("\n");
    rest = parts.pop() ?? "";
    yield* parts;
  }
}

async function writeLine(answer: Answer): Promise<void> {
  let bytes = new TextEncoder().encode(JSON.stringify(answer) + "\n");
  // A pipe takes a part of a large answer at a time.
  while (bytes.length > 0) bytes = bytes.subarray(await Deno.stdout.write(bytes));
}
