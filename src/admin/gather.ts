/**
 * The metrics and the health of several workers as one: each is asked at its own admin port when somebody asks here.
 *
 * What only grows must not shrink in the sum, or a rate over it would show calls that nobody made. So what a worker had
 * counted stays in the sum when it is silent, and when another has taken its place; what a worker counted between the
 * last look and its death is missing. What is as it is now is summed of those that answer.
 */
import { AggregatorRegistry } from "prom-client";
import type { Log } from "../telemetry/log.ts";
import { errorSummary } from "../telemetry/log.ts";
import { type OwnAnswer, textAnswer } from "../transport/own_answer.ts";
import { WORKERS_METRIC } from "./catalogue/workers.ts";
import type { Pages } from "./handler.ts";
import type { Across } from "./metric.ts";
import type { Scraped } from "./registry.ts";

/** Longest that a worker may take to answer. */
const ANSWER_MS_MAX = 2_000;
/** The most that one may answer with. */
const ANSWER_BYTES_MAX = 16 * 1024 * 1024;

/** How values may be summed up. */
const ACROSS: ReadonlySet<unknown> = new Set<Across>(["sum", "max", "min"]);

/** How a page of a worker is asked for. Rejects where there is no answer of status 200 or 503 in time. */
export type Ask = (url: string) => Promise<{ readonly status: number; readonly text: string }>;

/** What is known of one worker. */
interface Known {
  url: string;
  /** What it answered last; undefined: nothing so far. */
  last: readonly Scraped[] | undefined;
}

/** Gathers from workers. */
export class Gathering {
  readonly #workers = new Map<number, Known>();
  readonly #ask: Ask;
  readonly #log: Log;
  /** What workers had counted that are no more. */
  #retired: readonly Scraped[] = [];
  #gathering: Promise<string> | undefined;

  constructor(log: Log, ask: Ask = askOverHttp) {
    this.#log = log;
    this.#ask = ask;
  }

  /** The worker of this number answers here from now on. */
  setWorker(worker: number, url: string): void {
    const known = this.#workers.get(worker);
    if (known === undefined) this.#workers.set(worker, { url, last: undefined });
    else known.url = url;
  }

  /** What the port that sums up answers. */
  get pages(): Pages {
    return {
      "/livez": () => this.#livez(),
      "/readyz": () => this.#readyz(),
      // Whoever asks meanwhile gets the same.
      "/metrics": async () => {
        this.#gathering ??= this.#gather().finally(() => this.#gathering = undefined);
        return textAnswer(200, await this.#gathering, { "content-type": AggregatorRegistry.PROMETHEUS_CONTENT_TYPE });
      },
    };
  }

  async #livez(): Promise<OwnAnswer> {
    const answers = await this.#askAll("/livez");
    return answers.some(({ answer }) => answer?.status === 200)
      ? textAnswer(200, "ALIVE\n")
      : textAnswer(503, "no worker answers\n");
  }

  /** Ready: one answers at least, and none of those that answer is not. */
  async #readyz(): Promise<OwnAnswer> {
    const answers = await this.#askAll("/readyz");
    const answering = answers.filter(({ answer }) => answer !== undefined);
    const isReady = answering.length > 0 && answering.every(({ answer }) => answer!.status === 200);
    const lines = answers.flatMap(({ worker, answer }) => {
      const [word = "", ...reasons] = answer?.text.trimEnd().split("\n") ?? ["no answer"];
      return [`worker ${worker}: ${word}`, ...reasons.map((reason) => `worker ${worker}: ${reason}`)];
    });
    return textAnswer(isReady ? 200 : 503, [isReady ? "SERVING" : "NOT_SERVING", ...lines, ""].join("\n"));
  }

  async #gather(): Promise<string> {
    const answers = await this.#askAll("/metrics.json");
    let silent = 0;
    const parts: (readonly Scraped[])[] = [];
    for (const { worker, answer } of answers) {
      const known = this.#workers.get(worker)!;
      const now = answer?.status === 200 ? scrapedOf(answer.text) : undefined;
      if (now === undefined) {
        silent++;
        if (known.last !== undefined) parts.push(known.last.filter(isGrowing));
        continue;
      }
      if (known.last !== undefined && startOf(known.last) !== startOf(now)) this.#retire(known.last);
      known.last = now;
      parts.push(now);
    }
    const counts: Scraped = {
      ...WORKERS_METRIC,
      aggregator: WORKERS_METRIC.across,
      values: [
        { labels: { state: "answering" }, value: answers.length - silent },
        { labels: { state: "silent" }, value: silent },
      ],
    } as unknown as Scraped;
    return await sumOf([[counts], this.#retired, ...parts]).metrics();
  }

  #retire(last: readonly Scraped[]): void {
    this.#retired = jsonOf(sumOf([this.#retired, last.filter(isGrowing)]));
  }

  async #askAll(path: string) {
    return await Promise.all(
      [...this.#workers].sort(([a], [b]) => a - b).map(async ([worker, { url }]) => {
        const answer = await this.#ask(`${url}${path}`).catch((error) => {
          this.#log.debug({ worker, error: errorSummary(error) }, "a worker's admin port does not answer");
          return undefined;
        });
        return { worker, answer };
      }),
    );
  }
}

/** Asks over HTTP, as {@link Ask}; bounded in time and bytes. */
export async function askOverHttp(url: string): Promise<{ readonly status: number; readonly text: string }> {
  const response = await fetch(url, { signal: AbortSignal.timeout(ANSWER_MS_MAX), redirect: "error" });
  if (response.status !== 200 && response.status !== 503) {
    await response.body?.cancel();
    throw new Error(`no page of a worker: status ${response.status}`);
  }
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > ANSWER_BYTES_MAX) throw new Error(`more than ${ANSWER_BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  return { status: response.status, text: await new Blob(chunks as BlobPart[]).text() };
}

/** Undefined for what is no list of metrics: somebody else may have the port of a worker that has ended. */
function scrapedOf(text: string): readonly Scraped[] | undefined {
  try {
    const list: unknown = JSON.parse(text);
    return Array.isArray(list) && list.every(isScraped) ? list : undefined;
  } catch {
    return undefined;
  }
}

function isScraped(one: Partial<Record<keyof Scraped, unknown>> | null): boolean {
  return typeof one?.name === "string" && typeof one.help === "string" && ACROSS.has(one.aggregator) &&
    Array.isArray(one.values) &&
    one.values.every((each) => typeof each?.value === "number" && typeof each.labels === "object");
}

/** Whether it only grows while a process lives. The library's words for types are an enum that JSON has none of. */
function isGrowing({ type }: Scraped): boolean {
  return ["counter", "histogram"].includes(String(type));
}

/** When the process started that this is of: no two of them have the same. */
function startOf(scraped: readonly Scraped[]): number | undefined {
  return scraped.find(({ name }) => name === "process_start_time_seconds")?.values[0]?.value;
}

function sumOf(parts: readonly (readonly Scraped[])[]) {
  // It takes lists of metrics as JSON, whatever its types say.
  return AggregatorRegistry.aggregate(parts as unknown as object[]);
}

function jsonOf(registry: ReturnType<typeof sumOf>): readonly Scraped[] {
  return registry.getMetricsAsArray().map((metric) => (metric as unknown as { get(): Scraped }).get());
}
