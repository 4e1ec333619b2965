/** Calls as a shop's backend makes them: sent again where a starved server or its database did not get to them. */
import { post } from "../../support/server.ts";

const SENT_MAX = 20;
const PAUSE_MS = 200;
const NOT_DONE: ReadonlySet<unknown> = new Set(["unavailable", "resource_exhausted", "aborted"]);

/** By a method's name, such as `HoldService/Reserve`, and what it is asked; answers its body. */
export type Shop = (method: string, request: unknown, headers?: Record<string, string>) => Promise<Body>;

/** What a call answered. */
type Body = Record<string, unknown>;

/**
 * The calls of a shop, all with these headers.
 *
 * The calls throw an Error with the answer where that is another one than 200 in the end.
 */
export function shopOf(url: string, always: Record<string, string> = {}): Shop {
  return async (method, request, headers = {}) => {
    for (let sent = 1;; sent++) {
      const { status, body } = await post(`${url}/inventory.v1.${method}`, request, undefined, {
        ...always,
        ...headers,
      });
      if (status === 200) return body;
      const said = JSON.stringify(body);
      const isFinal = !NOT_DONE.has(body.code) || said.includes("OUTCOME_UNKNOWN");
      if (isFinal || sent === SENT_MAX) throw new Error(`${method}: ${said}`);
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  };
}
