/** The console in front of the handler of calls. */
import type { IncomingHttpHeaders } from "node:http";
import { errorFields, type Log } from "../telemetry/log.ts";
import type { WireHandler } from "../transport/exchange.ts";
import { type OwnAnswer, sendOverHttp1, sendOverHttp2 } from "../transport/own_answer.ts";
import { answerPage, type Site } from "./answers.ts";
import { type Bundle, readBundle } from "./bundle.ts";

/** Whatever else is asked for is a call, or nothing that is served. */
const READS = new Set(["GET", "HEAD"]);

/** The console of a folder, in memory. */
export class ServedConsole {
  #bundle: Bundle | undefined;

  private constructor(
    private readonly dir: string,
    private readonly isOwnHost: Site["isOwnHost"],
    private readonly log: Log,
  ) {}

  /** Reads it. Where there is none that can be served, a line of the log says so, and its addresses how to build it. */
  static async open(dir: string, isOwnHost: Site["isOwnHost"], log: Log): Promise<ServedConsole> {
    const console = new ServedConsole(dir, isOwnHost, log);
    await console.read();
    return console;
  }

  /** Reads it anew. One that can't be served leaves the one before in use. */
  async read(): Promise<void> {
    const { dir, log } = this;
    try {
      this.#bundle = await readBundle(dir);
    } catch (error) {
      log.warn(
        { dir, error: errorFields(error) },
        "the console is not served: build it with `deno task console`, permit to read its folder, or set CONSOLE=off",
      );
    }
  }

  /** The handler with the console in front of it. */
  before(handler: WireHandler): WireHandler {
    return {
      answersAtOnce: (path) => handler.answersAtOnce?.(path) === true,
      http1: (request, response, call) => {
        const { method = "", url: path = "", headers } = request;
        const answer = READS.has(method) ? this.#answer(path, headers.host, headers) : undefined;
        if (answer === undefined) return handler.http1(request, response, call);
        if (method !== "HEAD" && !call.handOver(answer.body.length)) return;
        sendOverHttp1(response, answer);
      },
      http2: (call) => {
        const { ":method": method = "", ":path": path = "", ":authority": authority } = call.headers;
        const host = authority || call.headers.host;
        const answer = READS.has(method) ? this.#answer(path, host, call.headers) : undefined;
        if (answer === undefined) return handler.http2(call);
        if (method !== "HEAD" && !call.handOver(answer.body.length)) return;
        sendOverHttp2(call, answer);
      },
    };
  }

  #answer(path: string, host: string | undefined, headers: IncomingHttpHeaders): OwnAnswer | undefined {
    return answerPage({ bundle: this.#bundle, isOwnHost: this.isOwnHost }, { path, host, headers });
  }
}
