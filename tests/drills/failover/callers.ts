/**
 * Callers as a shop has them: each order is sent under its id until it is answered, some twice at once, and some are
 * rolled back. What each saw is kept for the checker of the fault suite.
 */
import { setTimeout as delay } from "node:timers/promises";
import { until } from "../../../src/base/bounded_wait.ts";
import { type Answer, type Call, CUT, isForNow, reasonOf, type Request } from "../../faults/suite/history.ts";
import { post } from "../../faults/suite/post.ts";
import { Random } from "../../faults/suite/random.ts";

const GOODS = 20;
const STOCK = 10_000_000;
const LINES_MAX = 3;
/** Longest that a caller waits for an answer. */
const CALL_MS_MAX = 10_000;
/** From one order of a caller to its next, about. */
const PACE_MS = 20;
/** Before the same is sent again. */
const RETRY_MS = [10, 100] as const;
const TWICE = 0.05;
const ROLLED_BACK = 0.1;
/** Of these it is said what they were, where a drill does not go on. */
const LAST_ANSWERS = 100;
/** In the end, what has no answer yet is sent for so long. */
const SETTLE_MS_MAX = 60_000;

/** How many there are, and where they call. */
export interface CallersPlan {
  readonly url: string;
  readonly callers: number;
  readonly seed: number;
}

/** The callers of one drill. */
export class Callers {
  readonly calls: Call[] = [];
  readonly #plan: CallersPlan;
  readonly #random: Random;
  #acknowledged = 0;
  #operations = 0;
  #orders = 0;
  #isRunning = false;
  #untilMs = Infinity;
  #underWay: Promise<unknown> = Promise.resolve();

  constructor(plan: CallersPlan) {
    this.#plan = plan;
    this.#random = new Random(plan.seed);
  }

  /** Orders that were answered as sold. */
  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** Fills the shelves, and lets the callers begin. */
  async start(): Promise<void> {
    this.#untilMs = Infinity;
    for (let goodsId = 1; goodsId <= GOODS; goodsId++) await this.decide({ kind: "set", goodsId, num: STOCK });
    this.goOn();
  }

  /** Lets the callers go on after {@link finish}. */
  goOn(): void {
    this.#untilMs = Infinity;
    this.#isRunning = true;
    this.#underWay = Promise.all(
      Array.from({ length: this.#plan.callers }, () => this.#caller(this.#random.fork())),
    );
  }

  /** Waits until so many orders more have been acknowledged, for as long as one is in every `msMax`. */
  async sell(more: number, msMax: number): Promise<void> {
    const due = this.#acknowledged + more;
    const oneMore = (before: number) => until(() => this.#acknowledged > before, msMax);
    while (this.#acknowledged < due && await oneMore(this.#acknowledged));
    if (this.#acknowledged >= due) return;
    const last = this.calls.slice(-LAST_ANSWERS).map(({ answer }) =>
      answer.outcome === "ok" ? "ok" : `${answer.code} ${answer.outcome === "refused" ? reasonOf(answer.details) : ""}`
    );
    throw new Error(
      `${due - this.#acknowledged} of ${more} orders were not acknowledged, and none within ${msMax} ms; ` +
        `the last answers were ${[...new Set(last)].join(", ")}`,
    );
  }

  /** No new orders; resolves when all that were begun are answered. Throws where some are not in time. */
  async finish(): Promise<void> {
    this.#isRunning = false;
    this.#untilMs = performance.now() + SETTLE_MS_MAX;
    await this.#underWay;
  }

  /** Sends it until it is answered. */
  async decide(request: Request, random = this.#random, operation = this.newOperation()): Promise<Answer> {
    while (performance.now() < this.#untilMs) {
      const twin = random.chance(TWICE) ? this.send(request, operation) : undefined;
      const answer = await this.send(request, operation);
      await twin;
      if (answer.outcome !== "unknown" && !isForNow(answer)) return answer;
      await delay(random.integer(...RETRY_MS));
    }
    throw new Error(`in ${SETTLE_MS_MAX} ms nobody answered ${JSON.stringify(request)}`);
  }

  /** The number of a new request, which all calls for it have. */
  newOperation(): number {
    return this.#operations++;
  }

  /** Sends it once. */
  async send(request: Request, operation: number): Promise<Answer> {
    const [invokedMs, wallMs] = [performance.now(), Date.now()];
    const answer = await post(this.#plan.url, request, { leaveMs: CALL_MS_MAX });
    const answeredMs = answer === CUT ? undefined : performance.now();
    this.calls.push({ operation, request, server: "service", invokedMs, wallMs, answeredMs, answer });
    return answer;
  }

  async #caller(random: Random): Promise<void> {
    while (this.#isRunning) {
      const number = this.#orders++;
      const orderId = `order-${number}`;
      const goods = random.sample(Array.from({ length: GOODS }, (_, g) => g + 1), random.integer(1, LINES_MAX));
      const lines = goods.sort((a, b) => a - b).map((goodsId) => ({ goodsId, num: random.integer(1, 3) }));
      const { outcome } = await this.decide({ kind: "sell", orderId, lines }, random);
      if (outcome === "ok") this.#acknowledged++;
      if (random.chance(ROLLED_BACK)) {
        await this.decide({ kind: "rollback", orderId, rollbackId: `back-${number}`, lines: [] }, random);
      }
      await delay(random.integer(0, 2 * PACE_MS));
    }
  }
}
