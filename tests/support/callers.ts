/**
 * Callers as a shop's backend has them: JSON over HTTP, and a retry under the same id after every answer that asks
 * for one.
 */
import { setTimeout as delay } from "node:timers/promises";

/** What a call came to: "ok", or the error's code such as "failed_precondition". */
export interface Answer {
  readonly code: string;
  readonly body: Record<string, unknown>;
}

/** Codes after which the same request is sent again, as the API says. "unreachable": the server itself is away. */
const RETRY_CODES = new Set(["aborted", "unavailable", "resource_exhausted", "deadline_exceeded", "unreachable"]);
const RETRIES_MAX = 200;
/** Longer than `REQUEST_TIMEOUT_MS_MAX` by default: whoever is served late hears that from the server. */
const CALL_MS_MAX = 40_000;

/** One call of `inventory.v1.InventoryService`, or of another service as `StockService/SetPolicy`; never throws. */
export async function call(url: string, method: string, body: unknown, timeoutMs?: number): Promise<Answer> {
  const path = method.includes("/") ? method : `InventoryService/${method}`;
  try {
    const response = await fetch(`${url}/inventory.v1.${path}`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        ...(timeoutMs === undefined ? {} : { "connect-timeout-ms": String(timeoutMs) }),
      },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(CALL_MS_MAX),
    });
    const answer = await response.json();
    return { code: response.ok ? "ok" : answer.code, body: answer };
  } catch (error) {
    return { code: "unreachable", body: { message: String(error) } };
  }
}

/** What `grpc.health.v1` says of the server as a whole, such as "SERVING". */
export async function health(url: string): Promise<unknown> {
  const response = await fetch(`${url}/grpc.health.v1.Health/Check`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: "{}",
  });
  return (await response.json()).status;
}

/** A call that is repeated as long as its answer says to; `seen` gets every answer until then. */
export async function callUntilDecided(
  url: string,
  method: string,
  body: unknown,
  seen: (answer: Answer) => void = () => {},
): Promise<Answer> {
  for (let attempt = 1;; attempt++) {
    const answer = await call(url, method, body);
    seen(answer);
    if (!RETRY_CODES.has(answer.code) || attempt === RETRIES_MAX) return answer;
    await delay(10 + Math.random() * 90);
  }
}

/** Runs `work` for 0..count-1 with `callers` of them under way at a time; answers in that sequence. */
export async function inParallel<T>(count: number, callers: number, work: (i: number) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  await Promise.all(Array.from({ length: callers }, async () => {
    while (next < count) {
      const i = next++;
      results[i] = await work(i);
    }
  }));
  return results;
}

/** How often each value occurs. */
export function tally(values: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
}

/** The answer without what says that it repeats an earlier one: the rest must be the same each time. */
export function firstOrRepeated({ code, body }: Answer): Answer {
  const { replayed: _, ...rest } = body;
  return { code, body: rest };
}
