/** The answer to a call for what is not served. */
import { Code } from "@connectrpc/connect";
import type { IncomingHttpHeaders } from "node:http";
import type { CallObserver } from "../telemetry/observer.ts";
import { type OwnAnswer, refuseCall } from "../transport/own_answer.ts";

/** Of a name, in the answer. */
const NAME_CHARACTERS_MAX = 100;

/** What is served, and who looks. */
export interface Known {
  /** Full names. */
  readonly services: Set<string>;
  readonly observer: CallObserver | undefined;
}

/** What is unknown of the path: the service, or only its method. */
export function notServed(
  { services, observer }: Known,
  method: string,
  path: string,
  headers: IncomingHttpHeaders,
): OwnAnswer {
  observer?.unserved?.();
  const [, service, name] = /^\/([^/?]+)\/([^/?]+)(?:\?|$)/.exec(path) ?? [];
  const what = service === undefined
    ? "this path"
    : services.has(service)
    ? `method ${shortened(name!)} of ${service}`
    : `service ${shortened(service)}`;
  const asked = { method, contentType: headers["content-type"], accept: headers.accept };
  return refuseCall(asked, { code: Code.Unimplemented, message: `${what} is not served here`, status: 404 });
}

function shortened(name: string): string {
  return name.length <= NAME_CHARACTERS_MAX ? name : `${name.slice(0, NAME_CHARACTERS_MAX)}…`;
}
