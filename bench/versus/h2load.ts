/**
 * Load by h2load, nghttp2's own tool: it costs less than any client of ours, and knows neither service. It sends one
 * request over and over, so each goods has a process of its own.
 */
import { SERVER_ENVIRONMENT } from "../../src/process/child_environment.ts";

/** On top of the time that it should run. */
const END_MS_MAX = 20_000;

/** What to send. */
export interface H2Load {
  /** Path of the program. */
  readonly program: string;
  /** With the path of the method. */
  readonly url: string;
  /** File with the request's body, framed as gRPC has it. */
  readonly bodyFile: string;
  readonly connections: number;
  /** Calls under way on each connection. */
  readonly streams: number;
  readonly durationMs: number;
}

/** What came back. */
export interface H2LoadEnd {
  readonly answered: number;
  readonly perSecond: number;
}

/**
 * Runs it to its end.
 *
 * @throws Error with its words where a connection or a call failed, and the reason of `stop`
 */
export async function runH2load(load: H2Load, stop: AbortSignal): Promise<H2LoadEnd> {
  const { program, url, bodyFile, connections, streams, durationMs } = load;
  const { stdout, stderr } = await new Deno.Command(program, {
    args: [
      ...["-D", `${durationMs}ms`, "-c", String(connections), "-m", String(streams), "-t", "1", "-d", bodyFile],
      ...["-H", "content-type: application/grpc", "-H", "te: trailers", url],
    ],
    env: { ...SERVER_ENVIRONMENT },
    clearEnv: true,
    stdin: "null",
    signal: AbortSignal.any([stop, AbortSignal.timeout(durationMs + END_MS_MAX)]),
  }).output();
  stop.throwIfAborted();
  const words = new TextDecoder().decode(stdout);
  const end = readH2load(words);
  if (end === undefined) throw new Error(`h2load failed: ${words}${new TextDecoder().decode(stderr)}`);
  return end;
}

/** The end of what it says; undefined where not all calls were answered with 200, or it says nothing of them. */
export function readH2load(words: string): H2LoadEnd | undefined {
  const perSecond = Number(/^finished in [\d.]+m?s, ([\d.]+) req\/s/m.exec(words)?.[1]);
  const [, done, failed, errored] =
    /^requests: .* (\d+) done, \d+ succeeded, (\d+) failed, (\d+) errored/m.exec(words) ?? [];
  const [, fine] = /^status codes: (\d+) 2xx, 0 3xx, 0 4xx, 0 5xx$/m.exec(words) ?? [];
  if (!Number.isFinite(perSecond) || done === undefined || fine === undefined) return undefined;
  return failed === "0" && errored === "0" ? { answered: Number(done), perSecond } : undefined;
}
