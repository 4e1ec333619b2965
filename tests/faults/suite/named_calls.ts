/** What callers saw of that which a violation names: where one begins to look for why. Pure. */
import type { Call, Request } from "./history.ts";

const CALLS_SHOWN_MAX = 12;
const CHARACTERS_SHOWN_MAX = 400;

/** The calls whose ids are among the words of the sentence, by their beginnings, a line each; times are of the run. */
export function namedCalls(sentence: string, calls: readonly Call[]): string[] {
  const words = new Set(sentence.split(/[^\w~-]+/));
  const named = calls.filter(({ request }) => idsOf(request).some((id) => id !== "" && words.has(id)))
    .sort((a, b) => a.invokedMs - b.invokedMs);
  const beginMs = calls.reduce((least, { invokedMs }) => Math.min(least, invokedMs), Infinity);
  const lines = named.slice(0, CALLS_SHOWN_MAX).map((call) => lineOf(call, beginMs));
  const more = named.length - lines.length;
  return more === 0 ? lines : [...lines, `  and ${more} more calls`];
}

function idsOf(request: Request): string[] {
  const { orderId = "", operationId = "", rollbackId = "" } = request as Partial<Record<string, string>>;
  return [orderId, operationId, rollbackId];
}

function lineOf({ request, server, invokedMs, answeredMs, answer }: Call, beginMs: number): string {
  const took = answeredMs === undefined ? "never answered" : `answered after ${(answeredMs - invokedMs).toFixed(0)} ms`;
  const asked = JSON.stringify(request);
  return `  ${((invokedMs - beginMs) / 1000).toFixed(3)} s, ${server}, ${took}: ${asked} ${JSON.stringify(answer)}`
    .slice(0, CHARACTERS_SHOWN_MAX);
}
