/** What an outage was to callers, and to those who were dialled meanwhile. */
import { type Call, reasonOf } from "../../faults/suite/history.ts";

/** When there was no primary; by the clock of the calls, in ms. */
export interface Outage {
  readonly killedMs: number;
  /** There was certainly none until then: who finds the new one first is not who measures. */
  readonly absentMs: number;
  /** When another one took writes. */
  readonly writableMs: number;
}

/** See the file; times in ms. */
export interface OutageFigures {
  /** From the primary's end to another one that takes writes: the failover's own time. */
  readonly failoverMs: number;
  /** From then on, until the first sale was acknowledged. */
  readonly backMs: number;
  /** The longest time from one sale to the next. */
  readonly withoutSalesMs: number;
  /** The longest time that a call took which was sent while there was no primary, and refused. */
  readonly refusedMsMax: number;
  /** Calls that were sent while there was no primary, and refused, by code and reason. */
  readonly refused: Readonly<Record<string, number>>;
  /** The most dials in a second, while there was no primary. */
  readonly dialsMax: number;
}

/** `dials`: when each connection was opened. */
export function figuresOf(
  { killedMs, absentMs, writableMs }: Outage,
  calls: readonly Call[],
  dials: readonly number[],
): OutageFigures {
  const sales = calls.flatMap(({ request, answer, answeredMs }) =>
    request.kind === "sell" && answer.outcome === "ok" && answeredMs !== undefined ? [answeredMs] : []
  ).sort((a, b) => a - b);
  const first = sales.find((at) => at > writableMs) ?? Infinity;
  const pauses = sales.flatMap((at, i) => {
    const next = sales[i + 1] ?? Infinity;
    return next > killedMs && at < writableMs ? [next - at] : [];
  });
  const meanwhile = calls.filter(({ invokedMs, answer }) =>
    invokedMs > killedMs && invokedMs < writableMs && answer.outcome !== "ok"
  );
  const refused: Record<string, number> = {};
  for (const { answer } of meanwhile) {
    if (answer.outcome === "ok") continue;
    const words = `${answer.code} ${answer.outcome === "refused" ? reasonOf(answer.details) : ""}`.trim();
    refused[words] = (refused[words] ?? 0) + 1;
  }
  const within = dials.filter((at) => at >= killedMs && at < absentMs);
  return {
    failoverMs: writableMs - killedMs,
    backMs: first - writableMs,
    withoutSalesMs: Math.max(0, ...pauses),
    refusedMsMax: Math.max(0, ...meanwhile.map(({ invokedMs, answeredMs = Infinity }) => answeredMs - invokedMs)),
    refused,
    dialsMax: mostInASecond(within),
  };
}

/** The most of these moments that lie within a second. */
export function mostInASecond(moments: readonly number[]): number {
  return Math.max(0, ...moments.map((from) => moments.filter((at) => at >= from && at < from + 1000).length));
}

/** The figures in one line. */
export function outageWords(figures: OutageFigures): string {
  const { failoverMs, backMs, withoutSalesMs, refusedMsMax, refused, dialsMax } = figures;
  const s = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
  return `a primary again after ${s(failoverMs)}, the first sale ${s(backMs)} later (${
    s(withoutSalesMs)
  } without sales); ` +
    `refused within ${s(refusedMsMax)}: ${JSON.stringify(refused)}; ${dialsMax} dials a second at most`;
}
