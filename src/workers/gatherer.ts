/**
 * The process that shows the metrics and the health of all workers at one port, as the supervisor sees it: started
 * before them, informed where each of them answers, started again when it ends, and the last to go. That it is away
 * stops no call.
 *
 *     starting --listens, or does without a port--> running
 *     starting --ended, the first time------------> the start has failed
 *     starting --ended, later---------------------> waiting
 *     starting --time over------------------------> waiting       killed; at first the workers start without it
 *     running  --ended----------------------------> waiting
 *     waiting  --delay over-----------------------> starting
 *     any      --stop-----------------------------> gone
 */
import { EXIT_FAILED } from "../process/exit_codes.ts";
import { adminUrl } from "../process/listen_line.ts";
import { errorFields, type Log } from "../telemetry/log.ts";
import { restartDelayMs } from "./restart_delay.ts";
import type { WorkerProcess } from "./worker_process.ts";

/** How long it may take to end when it is asked to. */
const STOP_MS_MAX = 2_000;

/** What is needed to run it. */
export interface GathererOptions {
  /** Starts it; `onLine` gets what it writes to its standard output. */
  start(onLine: (line: string) => void): WorkerProcess;
  /** One that says nothing for so many ms after its start is killed. */
  readonly startMsMax: number;
  readonly log: Log;
  /** Answers in [0, 1). */
  readonly random: () => number;
}

/** Keeps the process running. */
export class Gatherer {
  readonly #options: GathererOptions;
  readonly #workers = new Map<number, string>();
  readonly #ready = Promise.withResolvers<number | undefined>();
  #process: WorkerProcess | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #failures = 0;
  /** The first start is over: from now on one that ends is started again. */
  #isReady = false;
  #isOver = false;

  constructor(options: GathererOptions) {
    this.#options = options;
    this.#run();
  }

  /** Resolves with undefined once it runs or is done without, or with the exit code that it ended with instead. */
  get started(): Promise<number | undefined> {
    return this.#ready.promise;
  }

  /** The worker answers at this URL from now on. */
  setWorker(worker: number, url: string): void {
    this.#workers.set(worker, url);
    this.#process?.write(workerLine(worker, url));
  }

  /** Ends it, for good. */
  async stop(): Promise<void> {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#process?.terminate(STOP_MS_MAX);
    await this.#process?.ended;
  }

  #run(): void {
    const { start, startMsMax, log } = this.#options;
    let process: WorkerProcess;
    try {
      process = start((line) => {
        const url = adminUrl(line);
        if (url === undefined) return log.warn({ line }, "the process that sums up metrics wrote to standard output");
        clearTimeout(late);
        this.#failures = 0;
        this.#goOn();
      });
    } catch (error) {
      log.error({ error: errorFields(error) }, "the process that sums up metrics could not be started");
      return this.#ended(EXIT_FAILED, null);
    }
    this.#process = process;
    const late = setTimeout(() => {
      log.warn({ pid: process.pid, startMsMax }, "the process that sums up metrics does not start and is killed");
      this.#goOn();
      process.kill();
    }, startMsMax);
    for (const [worker, url] of this.#workers) process.write(workerLine(worker, url));
    void process.ended.then(({ code, signal }) => {
      clearTimeout(late);
      this.#process = undefined;
      this.#ended(code, signal);
    });
  }

  #goOn(): void {
    this.#isReady = true;
    this.#ready.resolve(undefined);
  }

  #ended(code: number, signal: string | null): void {
    const { log, random } = this.#options;
    if (this.#isOver) return;
    if (!this.#isReady) {
      log.error({ code, signal }, "the process that sums up metrics has ended before it was ready");
      return this.#ready.resolve(code === 0 ? EXIT_FAILED : code);
    }
    const delayMs = restartDelayMs(++this.#failures, random());
    log.warn({ code, signal, delayMs }, "the process that sums up metrics has ended, and is started again");
    this.#timer = setTimeout(() => this.#run(), delayMs);
  }
}

/** The line by which the process learns where a worker answers. */
export function workerLine(worker: number, url: string): string {
  return `worker ${worker} ${url}`;
}

/** What such a line says; undefined for any other line. */
export function workerOf(line: string): { readonly worker: number; readonly url: string } | undefined {
  const [, worker, url] = /^worker (\d+) (http:\S+)$/.exec(line) ?? [];
  return worker === undefined || url === undefined ? undefined : { worker: Number(worker), url };
}
