/**
 * Shops that sell while something is done to the service: gRPC by grpc-js with the retry policy that docs/clients.md
 * gives, and JSON over HTTP/1.1 with the same policy kept by hand. Each order is sent under its id until it is
 * answered, so that what was sold is known to the unit, and what a policy did not get through is counted.
 */
import { status as grpcStatus } from "@grpc/grpc-js";
import https from "node:https";
import { setTimeout as delay } from "node:timers/promises";
import { pause } from "../../../src/base/bounded_wait.ts";
import { type CallResult, canonicalCode, decodeDetail, type Json } from "../../support/clients/client.ts";
import { grpcJsService } from "../../support/clients/grpc_js.ts";
import { docBlock } from "../../support/clients_doc.ts";
import { Random } from "../../faults/suite/random.ts";

/** What the shops are. */
export interface ShoppersParts {
  /** Where they call, over TLS with this authority. */
  readonly url: string;
  readonly ca: string;
  /** Ids of what they sell, each of which has enough. */
  readonly goods: readonly number[];
  /** Shops that call over each of the two. */
  readonly shops: number;
  /** Each waits so long between two orders, in ms, less or more by half. */
  readonly paceMs: number;
  readonly seed: number;
}

/** What came of it. */
export interface Sales {
  /** Acknowledged orders, and their lines. */
  readonly sold: ReadonlyMap<string, readonly Line[]>;
  /** Calls that failed although the policy had repeated them, and passed their deadline. */
  readonly refused: readonly string[];
  readonly late: number;
  /** Answers that no caller should ever get. */
  readonly faults: readonly string[];
  /** Of each order, in ms from its first call to its answer. */
  readonly tookMs: readonly number[];
  /** The longest time without any answer, in ms. */
  readonly longestGapMs: number;
}

/** A line of an order. */
export interface Line {
  readonly goodsId: number;
  readonly num: number;
}

/** Shops under way. */
export interface Shoppers {
  /** Orders that were acknowledged so far. */
  readonly count: number;
  /** Lets each finish its order, and ends. */
  stop(): Promise<Sales>;
}

interface RetryPolicy {
  readonly maxAttempts: number;
  readonly retryableStatusCodes: readonly string[];
}

const DEADLINE_MS = 5_000;
/** Of 5 %, the same order is sent once more when it was answered. */
const SENT_TWICE = 0.05;
const LINES_MAX = 3;

/** The configuration of gRPC's retries as the documentation has it. */
const RETRIES = /RETRIES = """(.+?)"""/s.exec(docBlock("connect.py"))![1]!;
const POLICY: RetryPolicy = JSON.parse(RETRIES).methodConfig[0].retryPolicy;
const BACKOFF = { firstMs: 100, maxMs: 2_000 };

/** Begins. */
export function startShoppers({ url, ca, goods, shops, paceMs, seed }: ShoppersParts): Shoppers {
  const random = new Random(seed);
  const stopping = new AbortController();
  const sold = new Map<string, readonly Line[]>();
  const refused: string[] = [];
  const faults: string[] = [];
  const tookMs: number[] = [];
  let late = 0;
  let longestGapMs = 0;
  let answeredAt = performance.now();

  async function shop(name: string, client: ShopClient, own: Random): Promise<void> {
    for (let number = 1; !stopping.signal.aborted; number++) {
      const orderId = `${name}-${number}`;
      const lines = own.sample(goods, own.integer(1, LINES_MAX)).map((goodsId) => ({
        goodsId,
        num: own.integer(1, 2),
      }));
      const times = own.chance(SENT_TWICE) ? 2 : 1;
      const beganAt = performance.now();
      for (let time = 0; time < times; time++) await sell(client, orderId, lines);
      if (times === 1) tookMs.push(performance.now() - beganAt);
      sold.set(orderId, lines);
      await pause(paceMs * (0.5 + own.next()), stopping.signal);
    }
    client.close();
  }

  /** Until it is answered, as a shop has to. */
  async function sell(client: ShopClient, orderId: string, goodsInfo: readonly Line[]): Promise<void> {
    for (;;) {
      const result = await client.sell({ orderId, goodsInfo });
      if ("answer" in result) break;
      if (result.code === "DEADLINE_EXCEEDED") late++;
      else if (POLICY.retryableStatusCodes.includes(result.code)) refused.push(`${orderId}: ${said(result)}`);
      else {
        faults.push(`${orderId}: ${said(result)}`);
        // It is none that another call would help.
        return;
      }
    }
    const now = performance.now();
    longestGapMs = Math.max(longestGapMs, now - answeredAt);
    answeredAt = now;
  }

  const all = Array.from({ length: shops }, (_, i) => [
    shop(`grpc-${i + 1}`, grpcClient(url, ca), random.fork()),
    shop(`json-${i + 1}`, jsonClient(url, ca, random.fork()), random.fork()),
  ]).flat();
  return {
    get count() {
      return sold.size;
    },
    async stop() {
      stopping.abort();
      await Promise.all(all);
      return { sold, refused, late, faults, tookMs, longestGapMs };
    },
  };
}

interface ShopClient {
  sell(request: Json): Promise<CallResult>;
  close(): void;
}

function grpcClient(url: string, ca: string): ShopClient {
  const service = grpcJsService(url, "inventory/v1/inventory.proto", "inventory.v1.InventoryService", {
    ca,
    options: {
      "grpc.service_config": RETRIES,
      "grpc.keepalive_time_ms": 60_000,
      "grpc.keepalive_timeout_ms": 20_000,
      "grpc.use_local_subchannel_pool": 1,
    },
  });
  return {
    sell: (request) =>
      new Promise((resolve) =>
        service["Sell"]!(request, { deadline: Date.now() + DEADLINE_MS }, (error, answer) => {
          if (error === null) return resolve({ answer: answer! });
          resolve({ code: grpcStatus[error.code]!, details: [{ message: error.details }] });
        })
      ),
    close: () => service.close(),
  };
}

/** Keeps one connection as long as the other side does, and repeats by the same policy. */
function jsonClient(url: string, ca: string, random: Random): ShopClient {
  const agent = new https.Agent({ keepAlive: true, maxSockets: 1, ca });
  return {
    async sell(request) {
      for (let attempt = 1;; attempt++) {
        const result = await postOnce(`${url}/inventory.v1.InventoryService/Sell`, request, agent);
        const isRepeated = "code" in result && POLICY.retryableStatusCodes.includes(result.code);
        if (!isRepeated || attempt === POLICY.maxAttempts) return result;
        const longestMs = Math.min(BACKOFF.firstMs * 2 ** (attempt - 1), BACKOFF.maxMs);
        await delay(longestMs * random.next());
      }
    },
    close: () => agent.destroy(),
  };
}

function postOnce(url: string, message: Json, agent: https.Agent): Promise<CallResult> {
  const headers = { "content-type": "application/json", "connect-timeout-ms": `${DEADLINE_MS}` };
  const { promise, resolve } = Promise.withResolvers<CallResult>();
  const failed = (error: Error) => resolve({ code: "UNAVAILABLE", details: [{ message: error.message }] });
  const request = https.request(url, { method: "POST", headers, agent, timeout: DEADLINE_MS }, async (response) => {
    try {
      let text = "";
      for await (const part of response) text += part;
      resolve(resultOf(response.statusCode ?? 0, text));
    } catch (error) {
      failed(error as Error);
    }
  });
  request.on("timeout", () => request.destroy(new Error("no answer")));
  request.on("error", failed);
  request.end(JSON.stringify(message));
  return promise;
}

/** A proxy's own word for "no server" is no JSON. */
function resultOf(status: number, text: string): CallResult {
  if (status === 200) return { answer: JSON.parse(text) };
  if (!text.startsWith("{")) {
    const isUnavailable = [429, 502, 503, 504].includes(status);
    return { code: isUnavailable ? "UNAVAILABLE" : "UNKNOWN", details: [{ status, text: text.slice(0, 100) }] };
  }
  const { code, details = [] } = JSON.parse(text);
  return { code: canonicalCode(code), details: details.map(decodeDetail) };
}

function said(result: CallResult): string {
  return JSON.stringify(result);
}
