/** The answer to a call for what is not served. */
import { Code } from "@connectrpc/connect";
import type { IncomingHttpHeaders } from "node:http";
import { type OwnAnswer, refuseCall } from "../transport/own_answer.ts";

/** Of a name, in the answer. */
const NAME_CHARACTERS_MAX = 100;

/** What is unknown of the path: the service, or only its method. @param services full names of those that are served */
export function notServed(
  services: ReadonlySet<string>,
  method: string,
  path: string,
  headers: IncomingHttpHeaders,
): OwnAnswer {
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
