/**
 * Clients that nobody here wrote, over all protocols on one port: each runs every scenario and must find the same
 * answers and errors, details included.
 */
import { assert, assertEquals } from "@std/assert";
import { HOLD_TTL_MS_MAX } from "../../src/inventory/operations/reserve.ts";
import { bufCurlClient } from "../support/clients/buf_curl.ts";
import { again, type CallResult, type Client, type Json, type Method } from "../support/clients/client.ts";
import { connectBinaryClient, grpcWebClient } from "../support/clients/connect_web.ts";
import { articleClient, grpcJsClient } from "../support/clients/grpc_js.ts";
import { jsonClient } from "../support/clients/json_fetch.ts";
import { serverTest } from "../support/server.ts";
import { NOW, type Scenario, UUID_V7 } from "./scenario.ts";
import { APPLIED } from "./scenarios_applied.ts";
import { APPLY_BATCH } from "./scenarios_apply_batch.ts";
import { BATCHES } from "./scenarios_batch.ts";
import { GOODS } from "./scenarios_goods.ts";
import { HOLDS, LATER } from "./scenarios_holds.ts";
import { PLACES } from "./scenarios_places.ts";
import { REFUSED } from "./scenarios_refused.ts";
import { POLICIES } from "./scenarios_policies.ts";
import { STOCK } from "./scenarios_stock.ts";
import { SELL_BATCHES } from "./scenarios_sell_batch.ts";
import { SELL_OPTIONS } from "./scenarios_sell_options.ts";

interface Run {
  readonly client: (url: string) => Client;
  readonly scenarios: readonly Scenario[];
  /** Makes all calls of a scenario but the last. Absent: `client` does. */
  readonly leader?: (url: string) => Client;
}

const ALL: readonly Scenario[] = [
  ...APPLIED,
  ...REFUSED,
  ...SELL_BATCHES,
  ...BATCHES,
  ...SELL_OPTIONS,
  ...PLACES,
  ...GOODS,
  ...HOLDS,
  ...STOCK,
  ...POLICIES,
  ...APPLY_BATCH,
];
/** Each end of a method once: the shortest beginnings of scenarios that come to it; `endOf` names an end. */
function endings(endOf: (method: Method, code: string) => string): Scenario[] {
  const found = new Map<string, Scenario>();
  const parts = ALL.flatMap((scenario) =>
    scenario.calls(1).map(({ method, result }, last) => {
      const code = result === "the same" ? undefined : "answer" in result ? "ok" : result.code;
      const calls: Scenario["calls"] = (goods) => scenario.calls(goods).slice(0, last + 1);
      return { end: code && endOf(method, code), last, scenario: { ...scenario, calls } };
    })
  ).sort((a, b) => a.last - b.last);
  for (const { end, scenario } of parts) if (end !== undefined && !found.has(end)) found.set(end, scenario);
  return [...found.values()];
}

/**
 * buf curl is a process a call, 50 ms of CPU on a core of its own: of the whole conversation, which the libraries have
 * over all protocols, it has each method and each code once over the first, and an answer and an error over the others.
 * What leads there is a library's.
 */
const EVERY_METHOD_AND_CODE = endings((method, code) => code === "ok" ? method : code);
const ANSWER_AND_ERROR = endings((_method, code) => code === "ok" ? "answer" : "error");
const RUNS: readonly Run[] = [
  ...[grpcJsClient, articleClient, grpcWebClient, connectBinaryClient, jsonClient].map((client) => ({
    client,
    scenarios: ALL,
  })),
  ...(["grpc", "grpcweb", "connect"] as const).map((protocol) => ({
    client: (url: string) => bufCurlClient(url, protocol),
    scenarios: protocol === "grpc" ? EVERY_METHOD_AND_CODE : ANSWER_AND_ERROR,
    leader: jsonClient,
  })),
];

/** How old "now" may be, with a machine that is busy with other things. */
const NOW_MS_MAX = 60_000;
/** What is answered of things that were done just now. */
const TIMES_OF_NOW = new Set(["soldAt", "createdAt", "namedAt", "resolvedAt", "openedAt"]);
const UUID_V7_PATTERN = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

serverTest("every client finds the same answers and the same errors", {}, async (server, step) => {
  for (const [number, run] of RUNS.entries()) {
    await using client = run.client(server.url);
    await using leader = run.leader?.(server.url);
    for (const [index, scenario] of run.scenarios.entries()) {
      if (client.contract === "article" && scenario.notInArticle !== undefined) continue;
      const goods = (number + 1) * 1_000 + index * 10;
      await step(`${client.name}: ${scenario.name}`, () => runScenario(client, scenario, goods, leader));
    }
  }
});

async function runScenario(client: Client, scenario: Scenario, goods: number, leader = client): Promise<void> {
  let before: CallResult | undefined;
  const calls = scenario.calls(goods);
  for (const [i, { method, request, result }] of calls.entries()) {
    const actual = await (i === calls.length - 1 ? client : leader).call(method, request);
    const sent = `${method} ${JSON.stringify(request)}`;
    if (result === "the same") assertEquals(actual, again(before), sent);
    else {
      const expected = client.contract === "article" ? inArticle(method, result) : result;
      assertEquals(withoutChance(actual), expected, sent);
    }
    before = actual;
  }
}

/** What inventory.v1 says, in the article's words: emptier answers, and short stock is INVALID_ARGUMENT. */
function inArticle(method: Method, result: CallResult): CallResult {
  if ("answer" in result) {
    const { goodsId, num } = result.answer;
    return { answer: method === "InvDetail" ? { goodsId, num } : {} };
  }
  const isShort = result.details.some((detail) => detail["@type"] === "inventory.v1.ShortStock");
  return isShort ? { ...result, code: "INVALID_ARGUMENT" } : result;
}

/** Times and ids of the server's own, once they have been found to be such, by the words that stand for them. */
function withoutChance(result: CallResult): CallResult {
  return "answer" in result ? { answer: wordsForChance(result.answer) as Json } : result;
}

function wordsForChance(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(wordsForChance);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => {
      if (TIMES_OF_NOW.has(name)) {
        const age = Date.now() - Date.parse(String(field));
        assert(Math.abs(age) < NOW_MS_MAX, `${name} ${field}, ${age} ms ago`);
        return [name, NOW];
      }
      if (name === "expiresAt") {
        assert(Math.abs(Date.now() - Date.parse(String(field))) < HOLD_TTL_MS_MAX, `${name} ${field}`);
        return [name, LATER];
      }
      const isMade = (name === "orderId" || name === "rollbackId" || name === "operationId") &&
        UUID_V7_PATTERN.test(String(field));
      return [name, isMade ? UUID_V7 : wordsForChance(field)];
    }),
  );
}
