/** The processes that a run starts: those that make load and the servers under it. One question to each at a time. */
import { fileURLToPath } from "node:url";
import { SERVER_V8_FLAGS } from "../src/config/flags.ts";
import { denoEnvironment } from "../src/process/child_environment.ts";
import { cpuMs, residentMiB } from "../src/process/facts.ts";
import { settled } from "../src/base/bounded_wait.ts";
import { lines } from "./load/conversation.ts";
import type { Answer, LoadRun, Memory, Question, Tally, Targets } from "./load/protocol.ts";

/** What a process may do: talk to this machine, and nothing else. Libraries that look for settings find none. */
const FLAGS = ["--no-prompt", "--allow-net=127.0.0.1", "--allow-sys=hostname", "--ignore-env"] as const;
/** Longer than any run with its stragglers. */
const ANSWER_MS_MAX = 60_000;
const STOP_MS_MAX = 15_000;

/** A process of the bench. */
export class BenchProcess {
  readonly #name: string;
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #answers: AsyncGenerator<string>;

  /**
   * Starts `bench/<module>`, with this beside what every Deno of ours has in its environment. Whatever it does, it has
   * the V8 flags of users' servers, and in a run their allocator: so have the stock that is sold without a port, and
   * what it is compared with.
   */
  constructor(module: string, env: Readonly<Record<string, string>> = {}, moreV8Flags: readonly string[] = []) {
    this.#name = module;
    this.#child = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        ...FLAGS,
        `--v8-flags=${[...SERVER_V8_FLAGS, ...moreV8Flags].join(",")}`,
        fileURLToPath(new URL(module, import.meta.url)),
      ],
      cwd: fileURLToPath(new URL("..", import.meta.url)),
      env: { ...denoEnvironment(), ...env },
      clearEnv: true,
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#writer = this.#child.stdin.getWriter();
    this.#answers = lines(this.#child.stdout);
  }

  /** Gives it what it works on. Answers the address of a server, and "" of others. */
  async open(targets: Targets): Promise<string> {
    return await this.#ask({ open: targets }) as string;
  }

  /** Has it make load. */
  async run(order: LoadRun): Promise<Tally> {
    return await this.#ask({ run: order }) as Tally;
  }

  /** Its memory, as it says itself, where that is asked for with its garbage collected. */
  async memory(state: "as it is" | "collected"): Promise<Memory> {
    return await this.#ask({ memory: state }) as Memory;
  }

  /** Memory that it has in RAM now, in MiB. */
  residentMiB(): number {
    const mib = residentMiB(this.#child.pid);
    if (mib === undefined) throw new Error(`The system does not report the memory of bench/${this.#name}`);
    return mib;
  }

  /** CPU time that it has taken since it started, in ms; undefined where the system does not say. */
  cpuMs(): number | undefined {
    return cpuMs(this.#child.pid);
  }

  /** Lets it close what it opened and end, and kills it when it does not in time. */
  async stop(): Promise<void> {
    // It may have ended already, and its input with it.
    await this.#writer.close().catch(() => {});
    if (!await settled(this.#child.status, STOP_MS_MAX)) this.kill();
    await this.#child.status;
  }

  /** Ends it at once. */
  kill(): void {
    try {
      this.#child.kill("SIGKILL");
    } catch (error) {
      // It ended before the signal came.
      if (!(error instanceof TypeError)) throw error;
    }
  }

  async #ask(question: Question): Promise<unknown> {
    await this.#writer.write(new TextEncoder().encode(JSON.stringify(question) + "\n")).catch((error) => {
      // It has ended, which the end of its answers says below.
      if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
    });
    const next = this.#answers.next();
    if (!await settled(next, ANSWER_MS_MAX)) {
      throw new Error(`bench/${this.#name} gave no answer in ${ANSWER_MS_MAX} ms`);
    }
    const { value, done } = await next;
    if (done) throw new Error(`bench/${this.#name} ended by itself: see its words above`);
    const answer: Answer = JSON.parse(value);
    if ("error" in answer) throw new Error(`bench/${this.#name}: ${answer.error}`);
    return answer.ok;
  }
}
