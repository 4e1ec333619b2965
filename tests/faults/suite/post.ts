/** One call of the suite's callers, over HTTP as Connect in JSON has it. */
import { type Answer, classify, CUT, type Request, wireRequest } from "./history.ts";

/** How long one waits. */
export interface Patience {
  /** Sent to the server; none: its own limit. */
  readonly deadlineMs?: number | undefined;
  /** The caller leaves then. */
  readonly leaveMs: number;
  /** It leaves when this aborts, if that is before. */
  readonly leave?: AbortSignal | undefined;
}

/** Asks the service at `url`. Never rejects: what is cut is an answer too. */
export async function post(url: string, request: Request, { deadlineMs, leaveMs, leave }: Patience): Promise<Answer> {
  const { service = "InventoryService", method, body } = wireRequest(request);
  try {
    const response = await fetch(`${url}/inventory.v1.${service}/${method}`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        ...(deadlineMs === undefined ? {} : { "connect-timeout-ms": String(deadlineMs) }),
      },
      body: JSON.stringify(body),
      signal: AbortSignal.any([AbortSignal.timeout(leaveMs), ...(leave === undefined ? [] : [leave])]),
    });
    return classify(response.status, await response.text());
  } catch {
    return CUT;
  }
}
