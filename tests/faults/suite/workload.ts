/**
 * What callers of a fleet do: orders, rollbacks of all kinds, sets and looks, at a bounded pace, with everything that
 * callers do wrong: they leave, set deadlines that pass in the middle, send things twice and in the wrong order. What has
 * no clear answer is sent again under the same id.
 */
import { type Answering, type Fleet, GOODS, HOT_GOODS, SCARCE_GOODS } from "./fleet.ts";
import { type Answer, type AskedLine, classify, CUT, type Request, wireRequest } from "./history.ts";
import type { Random } from "./random.ts";

const CALLERS = 8;
/** Longest that a caller waits for an answer. */
const CALL_MS_MAX = 8000;
/** How often a request is sent again while the run goes on; at its end it is sent until it is decided. */
const RETRIES_MAX = 12;
const RETRY_MS_MAX = 150;
const SETTLE_MS_MAX = 90_000;
/** Orders that a caller remembers to roll back. */
const REMEMBERED_MAX = 50;

/** Codes after which the API says to send the same again. */
const RETRYABLE = new Set(["aborted", "unavailable", "resource_exhausted"]);

interface Asked {
  readonly operation: number;
  readonly request: Request;
}

/** The callers of one fleet. */
export class Workload {
  readonly #fleet: Fleet;
  readonly #paceMs: number;
  readonly #random: Random;
  readonly #undecided = new Set<Asked>();
  readonly #underWay = new Set<Promise<unknown>>();
  #operations = 0;
  #orders = 0;
  #running = false;
  #callers: Promise<unknown> = Promise.resolve();
  #pause: { readonly over: Promise<void>; readonly end: () => void } | undefined;
  #busy = 0;

  /** `callsPerSecond`: of all callers together. */
  constructor(fleet: Fleet, callsPerSecond: number, random: Random) {
    this.#fleet = fleet;
    this.#paceMs = (CALLERS * 1000) / callsPerSecond;
    this.#random = random;
  }

  /** Fills the shelves, and starts the callers. */
  async start(): Promise<void> {
    const random = this.#random.fork();
    for (let place = 0; place < GOODS; place++) {
      await this.#decide(this.#ask(this.#setOf(place, random)), random, SETTLE_MS_MAX);
    }
    this.#running = true;
    this.#callers = Promise.all(Array.from({ length: CALLERS }, () => this.#call(this.#random.fork())));
  }

  /** No new calls until {@link resume}; resolves when none is under way. */
  async pause(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#pause = { over: promise, end: resolve };
    while (this.#busy > 0 || this.#underWay.size > 0) await wait(50);
  }

  resume(): void {
    this.#pause?.end();
    this.#pause = undefined;
  }

  /** Ends the callers, and sends what is undecided until it is decided. Throws where that takes too long. */
  async finish(): Promise<void> {
    this.#running = false;
    this.resume();
    await this.#callers;
    await Promise.all(this.#underWay);
    const random = this.#random.fork();
    await Promise.all([...this.#undecided].map((asked) => this.#decide(asked, random.fork(), SETTLE_MS_MAX)));
    if (this.#undecided.size > 0) {
      throw new Error(`${this.#fleet.name}: ${this.#undecided.size} requests stay undecided`);
    }
  }

  async #call(random: Random): Promise<void> {
    const sold: { orderId: string; lines: AskedLine[] }[] = [];
    await wait(random.next() * this.#paceMs);
    while (this.#running) {
      await this.#pause?.over;
      const startedMs = performance.now();
      this.#busy++;
      await this.#one(random, sold);
      this.#busy--;
      await wait(Math.max(0, this.#paceMs * (0.5 + random.next()) - (performance.now() - startedMs)));
    }
  }

  async #one(random: Random, sold: { orderId: string; lines: AskedLine[] }[]): Promise<void> {
    const draw = random.next();
    if (draw < 0.6) {
      const orderId = this.#newOrder();
      const lines = this.#linesOf(random, draw < 0.42 ? 1 : random.integer(2, 4));
      if (await this.#decide(this.#ask({ kind: "sell", orderId, lines }), random)) {
        sold.push({ orderId, lines });
        if (sold.length > REMEMBERED_MAX) sold.shift();
      }
    } else if (draw < 0.8 && sold.length > 0) {
      const order = random.pick(sold);
      const whole = random.chance(0.5);
      const lines = whole
        ? []
        : [random.pick(order.lines)].map(({ goodsId, num }) => ({ goodsId, num: random.integer(1, num) }));
      const rollbackId = !whole && random.chance(0.5) ? `r-${this.#newOrder()}` : "";
      const asked = this.#ask({ kind: "rollback", orderId: order.orderId, rollbackId, lines });
      await this.#decide(asked, random);
      // Sent again though it was answered.
      if (random.chance(0.2)) await this.#decide(asked, random);
    } else if (draw < 0.84) {
      // A rollback before its sell, or at the same moment.
      const orderId = this.#newOrder();
      const rollback = this.#ask({ kind: "rollback", orderId, rollbackId: "", lines: [] });
      const sell = this.#ask({ kind: "sell", orderId, lines: this.#linesOf(random, 1) });
      const first = this.#decide(rollback, random);
      if (random.chance(0.5)) await first;
      await Promise.all([first, this.#decide(sell, random)]);
    } else if (draw < 0.9) {
      await this.#decide(this.#ask(this.#setOf(random.integer(0, GOODS - 1), random)), random);
    } else {
      await this.#decide(
        this.#ask({ kind: "detail", goodsId: this.#fleet.firstGoods + random.integer(0, GOODS - 1) }),
        random,
      );
    }
  }

  /** Sends it until it is decided, bounded by retries, or by time where given; answers whether it was applied. */
  async #decide(asked: Asked, random: Random, msMax?: number): Promise<boolean> {
    const untilMs = performance.now() + (msMax ?? Infinity);
    this.#undecided.add(asked);
    for (
      let attempt = 0;
      msMax === undefined ? attempt <= RETRIES_MAX && this.#running : performance.now() < untilMs;
      attempt++
    ) {
      if (attempt > 0) await wait(10 + random.next() * RETRY_MS_MAX);
      // Sent twice at the same moment, to two processes as often as not.
      if (random.chance(0.05)) this.#track(this.#send(asked, random));
      const answer = await this.#send(asked, random);
      if (answer.outcome === "unknown" || (answer.outcome === "refused" && RETRYABLE.has(answer.code))) continue;
      this.#undecided.delete(asked);
      return answer.outcome === "ok";
    }
    // Of a look nothing has to be known.
    if (asked.request.kind === "detail") this.#undecided.delete(asked);
    return false;
  }

  async #send(asked: Asked, random: Random): Promise<Answer> {
    const up = this.#fleet.answering;
    if (up.length === 0) return { outcome: "refused", code: "unavailable", details: [] };
    const member = random.pick(up);
    const impatient = this.#running ? random.next() : 1;
    const invokedMs = performance.now();
    const answer = await post(member, asked.request, {
      ...(impatient < 0.02 ? { deadlineMs: random.integer(1, 50) } : {}),
      leaveMs: impatient > 0.02 && impatient < 0.04 ? random.integer(0, 30) : CALL_MS_MAX,
    });
    const answeredMs = answer === CUT ? undefined : performance.now();
    this.#fleet.calls.push({ ...asked, server: member.name, invokedMs, answeredMs, answer });
    return answer;
  }

  #track(sending: Promise<unknown>): void {
    this.#underWay.add(sending);
    sending.finally(() => this.#underWay.delete(sending));
  }

  #ask(request: Request): Asked {
    return { operation: this.#operations++, request };
  }

  #linesOf(random: Random, count: number): AskedLine[] {
    const places = new Set<number>();
    while (places.size < count) places.add(random.integer(0, (random.chance(0.4) ? HOT_GOODS : GOODS) - 1));
    return [...places].map((place) => ({ goodsId: this.#fleet.firstGoods + place, num: random.integer(1, 5) }));
  }

  #setOf(place: number, random: Random): Request {
    const num = place >= GOODS - SCARCE_GOODS ? random.integer(0, 40) : random.integer(10_000, 1_000_000);
    return { kind: "set", goodsId: this.#fleet.firstGoods + place, num };
  }

  #newOrder(): string {
    return `${this.#fleet.name}-${this.#orders++}`;
  }
}

async function post(
  { server }: Answering,
  request: Request,
  { deadlineMs, leaveMs }: { readonly deadlineMs?: number; readonly leaveMs: number },
): Promise<Answer> {
  const { method, body } = wireRequest(request);
  try {
    const response = await fetch(`${server.url}/inventory.v1.InventoryService/${method}`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        ...(deadlineMs === undefined ? {} : { "connect-timeout-ms": String(deadlineMs) }),
      },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(leaveMs),
    });
    return classify(response.status, await response.text());
  } catch {
    return CUT;
  }
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
