/** A Prometheus of our own that scrapes one admin port, and answers what the panels ask. */
import { join } from "node:path";
import { until } from "../../src/base/bounded_wait.ts";
import { endsBy, terminate } from "../../src/base/terminate.ts";

const READY_MS_MAX = 20_000;
const STOP_MS_MAX = 10_000;

/** One line: its labels, and its values, each with its time in seconds since the epoch. */
export interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly values: readonly (readonly [at: number, value: string])[];
}

/** The running program. */
export interface Prometheus extends AsyncDisposable {
  /** The values of an expression between two times, in seconds since the epoch. Throws Error with its words. */
  range(query: string, fromS: number, toS: number, stepS: number): Promise<readonly Series[]>;
}

/** Where it finds what, and how often it looks. */
export interface PrometheusOptions {
  /** Its path, or its name on PATH. */
  readonly program: string;
  readonly dir: string;
  readonly port: number;
  /** `host:port` of who is scraped. */
  readonly target: string;
  readonly everyS: number;
}

/** Starts it. Throws Error where it does not become ready. */
export async function startPrometheus(options: PrometheusOptions): Promise<Prometheus> {
  const { program, dir, port, target, everyS } = options;
  const config = join(dir, "prometheus.json");
  // JSON is YAML.
  await Deno.writeTextFile(
    config,
    JSON.stringify({
      global: { scrape_interval: `${everyS}s` },
      scrape_configs: [{ job_name: "holdfast", static_configs: [{ targets: [target] }] }],
    }),
  );
  const child = new Deno.Command(program, {
    args: [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(dir, "prometheus")}`,
      `--web.listen-address=127.0.0.1:${port}`,
      "--log.level=error",
    ],
    stdin: "null",
    stdout: "null",
    stderr: "inherit",
  }).spawn();
  const ended = child.status;
  const kill = (signal: Deno.Signal) => child.kill(signal);
  const stop = () => terminate({ send: kill, endsWithin: endsBy(ended) }, "SIGTERM", STOP_MS_MAX);
  const url = `http://127.0.0.1:${port}`;
  if (!await until(() => isReady(url), READY_MS_MAX)) {
    await stop();
    throw new Error(`${program} is not ready after ${READY_MS_MAX} ms`);
  }
  return {
    async range(query, fromS, toS, stepS) {
      const asked = new URLSearchParams({ query, start: `${fromS}`, end: `${toS}`, step: `${stepS}` });
      const answer = await (await fetch(`${url}/api/v1/query_range`, { method: "POST", body: asked })).json();
      if (answer.status !== "success") throw new Error(`${query}: ${answer.error}`);
      return answer.data.result;
    },
    async [Symbol.asyncDispose]() {
      await stop();
    },
  };
}

async function isReady(url: string): Promise<boolean> {
  try {
    const answer = await fetch(`${url}/-/ready`);
    await answer.body?.cancel();
    return answer.ok;
  } catch {
    return false;
  }
}
