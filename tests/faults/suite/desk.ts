/**
 * Where the callers of a fleet send what they ask: it notes every call, sends again what has no clear answer, and knows
 * what is not decided yet.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Answering, Fleet } from "./fleet.ts";
import { type Answer, type Call, CUT, isForNow, type Request } from "./history.ts";
import { post } from "./post.ts";
import type { Random } from "./random.ts";
import { readSessions, sessionWords } from "./sessions.ts";

/** Longest that a caller waits for an answer. */
const CALL_MS_MAX = 8000;
/** How often a request is sent again while the run goes on; at its end it is sent until it is decided. */
const RETRIES_MAX = 12;
const RETRY_MS_MAX = 150;
const SETTLE_MS_MAX = 90_000;
const SETTLE_TRIES_MAX = 600;
/** Of what stays undecided so many answers are shown, and so many requests. */
const ANSWERS_SHOWN_MAX = 4;
const REQUESTS_SHOWN_MAX = 5;

/** One request, the same for all its calls. */
export interface Asked {
  readonly operation: number;
  readonly request: Request;
}

/** How a call is made. */
export interface Manner {
  /** Asked instead of one at random. */
  readonly member?: Answering;
  /** How long the server may take, as the caller says. */
  readonly deadlineMs?: number;
  /** True: neither leaves early, nor sends it twice at once. */
  readonly patient?: boolean;
}

/** See the file. */
export class Desk {
  readonly #fleet: Fleet;
  readonly #undecided = new Set<Asked>();
  readonly #underWay = new Set<Promise<unknown>>();
  #operations = 0;
  /** Set while the run ends: callers are patient, and retries go on until all is decided. */
  #settling = false;

  constructor(fleet: Fleet) {
    this.#fleet = fleet;
  }

  /** Calls whose answers nobody waits for. */
  get underWay(): number {
    return this.#underWay.size;
  }

  /** A new request. */
  ask(request: Request): Asked {
    return { operation: this.#operations++, request };
  }

  /** Sends it until it is decided, bounded by retries; answers whether it was applied. */
  async decide(asked: Asked, random: Random, manner: Manner = {}): Promise<boolean> {
    for (let attempt = 0; attempt <= RETRIES_MAX && (attempt === 0 || !this.#settling); attempt++) {
      if (attempt > 0) await delay(10 + random.next() * RETRY_MS_MAX);
      const answer = await this.#sendOpen(asked, random, manner);
      if (answer !== undefined) return answer.outcome === "ok";
    }
    // Of a look nothing has to be known.
    if (asked.request.kind === "detail") this.#undecided.delete(asked);
    return false;
  }

  /** Sends it once, whatever comes of it. */
  async once(asked: Asked, random: Random, manner: Manner): Promise<Answer> {
    return await this.#send(asked, random, manner);
  }

  /** No new retries, and no impatience any more; resolves when no call is in progress. */
  async settle(): Promise<void> {
    this.#settling = true;
    await Promise.all(this.#underWay);
  }

  /** Sends what is undecided until it is decided; where that takes too long, answers what is known of it. */
  async finish(random: Random): Promise<string | undefined> {
    await Promise.all([...this.#undecided].map((asked) => this.untilDecided(asked, random.fork())));
    return this.#undecided.size > 0 ? await this.#whyUndecided() : undefined;
  }

  /** Sends it until it is decided, bounded by time and number; what is not decided then stays undecided. */
  async untilDecided(asked: Asked, random: Random): Promise<void> {
    const untilMs = performance.now() + SETTLE_MS_MAX;
    for (let attempt = 0; attempt < SETTLE_TRIES_MAX && performance.now() < untilMs; attempt++) {
      if (attempt > 0) await delay(10 + random.next() * RETRY_MS_MAX);
      if (await this.#sendOpen(asked, random, { patient: true }) !== undefined) return;
    }
  }

  /** One call of a request that is undecided until then; answers what decided it. */
  async #sendOpen(asked: Asked, random: Random, manner: Manner): Promise<Answer | undefined> {
    this.#undecided.add(asked);
    // Sent twice at the same moment, to two processes as often as not.
    if (manner.patient !== true && random.chance(0.05)) this.#track(this.#send(asked, random, manner));
    const answer = await this.#send(asked, random, manner);
    if (answer.outcome === "unknown" || isForNow(answer)) return undefined;
    this.#undecided.delete(asked);
    return answer;
  }

  async #send(asked: Asked, random: Random, { member, deadlineMs, patient }: Manner): Promise<Answer> {
    const up = this.#fleet.answeringTo(asked.request);
    if (up.length === 0) return { outcome: "refused", code: "unavailable", details: [] };
    const asking = member ?? random.pick(up);
    const impatient = patient === true || this.#settling ? 1 : random.next();
    const invokedMs = performance.now();
    const wallMs = Date.now();
    const ownDeadlineMs = deadlineMs ?? (impatient < 0.02 ? random.integer(1, 50) : undefined);
    const answer = await post(asking.server.url, asked.request, {
      deadlineMs: ownDeadlineMs,
      leaveMs: impatient > 0.02 && impatient < 0.04 ? random.integer(0, 30) : CALL_MS_MAX,
    });
    const answeredMs = answer === CUT ? undefined : performance.now();
    this.#fleet.calls.push({ ...asked, server: asking.name, invokedMs, wallMs, answeredMs, answer });
    return answer;
  }

  #track(sending: Promise<unknown>): void {
    this.#underWay.add(sending);
    sending.finally(() => this.#underWay.delete(sending));
  }

  async #whyUndecided(): Promise<string> {
    const requests = [...this.#undecided].slice(0, REQUESTS_SHOWN_MAX).flatMap(({ operation, request }) => [
      `  ${JSON.stringify(request)}, in the end answered`,
      ...this.#fleet.calls.filter((call) => call.operation === operation).slice(-ANSWERS_SHOWN_MAX).map(answerWords),
    ]);
    const sessions = await readSessions(this.#fleet.ownerUrl).catch((error) => [String(error)]);
    return [
      `${this.#fleet.name}: ${this.#undecided.size} requests stay undecided`,
      ...requests,
      ...sessions.map((session) => `  ${typeof session === "string" ? session : sessionWords(session)}`),
    ].join("\n");
  }
}

function answerWords({ server, invokedMs, answeredMs, answer }: Call): string {
  const after = answeredMs === undefined ? "never" : `after ${Math.round(answeredMs - invokedMs)} ms`;
  return `    by ${server} ${after}: ${JSON.stringify(answer)}`;
}
