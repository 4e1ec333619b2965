/** The console in front of the handler of calls. */
import { errorFields, type Log } from "../telemetry/log.ts";
import type { WireHandler } from "../transport/exchange.ts";
import { sendOverHttp1, sendOverHttp2 } from "../transport/own_answer.ts";
import { answerPage } from "./answers.ts";
import { type Bundle, readBundle } from "./bundle.ts";

/** Whatever else is asked for is a call, or nothing that is served. */
const READS = new Set(["GET", "HEAD"]);

/** Reads the console that is in `dir`. Undefined, with a line in the log, where there is none that can be served. */
export async function openConsole(dir: string, log: Log): Promise<Bundle | undefined> {
  try {
    return await readBundle(dir);
  } catch (error) {
    log.warn(
      { dir, error: errorFields(error) },
      "the console is not served: build it with `deno task console`, permit to read its folder, or set CONSOLE=off",
    );
    return undefined;
  }
}

/** The handler with the console in front of it. `bundle` undefined: its addresses say how to build it. */
export function withConsole(handler: WireHandler, bundle: Bundle | undefined): WireHandler {
  return {
    answersAtOnce: (path) => handler.answersAtOnce?.(path) === true,
    http1(request, response, address) {
      const { method = "", url: path = "", headers } = request;
      const answer = READS.has(method) ? answerPage(bundle, { path, headers }) : undefined;
      if (answer === undefined) return handler.http1(request, response, address);
      sendOverHttp1(response, answer);
    },
    http2(call) {
      const { ":method": method = "", ":path": path = "" } = call.headers;
      const answer = READS.has(method) ? answerPage(bundle, { path, headers: call.headers }) : undefined;
      if (answer === undefined) return handler.http2(call);
      if (method !== "HEAD" && !call.handOver(answer.body.length)) return;
      sendOverHttp2(call, answer);
    },
  };
}
