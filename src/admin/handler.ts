/**
 * What the admin port answers: `/livez`, `/readyz` and `/metrics`, by GET or HEAD, under a name of this machine.
 *
 * - `/livez`: 200 as long as the event loop turns. For whoever restarts the process.
 * - `/readyz`: 200 or 503, with why it is not ready, a line for each reason.
 * - `/metrics`: for Prometheus.
 *
 * Nobody signs in here. Beyond loopback it is only where a setting says so, and a page of somebody else's name that
 * leads here (DNS rebinding) is refused by the name.
 */
import { type OwnAnswer, sendOverHttp1, sendOverHttp2, textAnswer } from "../transport/own_answer.ts";
import type { WireHandler } from "../transport/exchange.ts";

/** What is answered, by path. */
export type Pages = Readonly<Record<string, () => OwnAnswer | Promise<OwnAnswer>>>;

/** That the event loop turns, which is said by saying anything. */
export const alivePage = (): OwnAnswer => textAnswer(200, "ALIVE\n");

const METHODS = ["GET", "HEAD"];
/** Of a host, in an answer. */
const HOST_CHARACTERS_MAX = 100;
/** Who sends anything else has most likely taken this port for the service's. */
const OTHER_METHOD =
  "expected GET or HEAD: this is the admin port (ADMIN_PORT), calls go to the service's own (PORT)\n";
const FAILED = textAnswer(500, "the page could not be made; the log says why\n");

/** The handler of these pages. `failed` is called with what kept a page from being made. */
export function pagesHandler(
  pages: () => Pages,
  isOwnHost: (host: string | undefined) => boolean,
  failed: (error: unknown) => void,
): WireHandler {
  return {
    http1(request, response) {
      const { method = "", url = "", headers } = request;
      void answer(method, url, headers.host).then((made) => sendOverHttp1(response, made)).catch(failed);
    },
    http2(call) {
      const { ":method": method = "", ":path": path = "", ":authority": authority, host } = call.headers;
      void answer(method, path, authority || host).then((made) => {
        if (!call.stream.closed && !call.stream.destroyed) sendOverHttp2(call, made);
      }).catch(failed);
    },
  };

  async function answer(method: string, path: string, host: string | undefined): Promise<OwnAnswer> {
    if (!isOwnHost(host)) {
      const said = (host ?? "").slice(0, HOST_CHARACTERS_MAX);
      return textAnswer(403, `expected an address, localhost or a name of ALLOWED_HOSTS, got ${said}\n`);
    }
    if (!METHODS.includes(method)) return textAnswer(405, OTHER_METHOD, { allow: METHODS.join(", ") });
    const known = pages();
    const name = path.split("?", 1)[0]!;
    if (!Object.hasOwn(known, name)) {
      return textAnswer(404, `expected one of ${Object.keys(known).join(", ")}, got another path\n`);
    }
    try {
      const made = await known[name]!();
      return { ...made, headers: { ...made.headers, "cache-control": "no-store" } };
    } catch (error) {
      failed(error);
      return FAILED;
    }
  }
}
