/** What a run came to, in tables. */
import { CALM } from "./faults/redis_faults.ts";
import { LOCK_WAIT_MS_MAX } from "./fleet.ts";
import { type Call, reasonOf } from "./history.ts";
import { namedCalls } from "./named_calls.ts";
import { type RunResult, violationsOf } from "./run.ts";

const VIOLATIONS_SHOWN_MAX = 20;

/** All lines of the report. */
export function report(result: RunResult): string[] {
  const { fleets, counts, sizes } = result;
  const violations = violationsOf(result);
  return [
    summary(result),
    "",
    ...table(["fault", "times"], [...counts].map(([name, count]) => [name, count === 0 ? "not done" : String(count)])),
    "",
    ...table(
      ["fleet", "operations", "acknowledged", "refused", "unknown", "internal", "violations"],
      fleets.map(({ name, calls, violations }) => [
        name,
        ...[
          calls.length,
          count(calls, "ok"),
          count(calls, "refused"),
          count(calls, "unknown"),
          internal(calls),
          violations.length,
        ].map(
          String,
        ),
      ]),
    ),
    "",
    ...table(
      ["lock alone at fault", "rounds", "sells", "refused by it", "p99 ms", "of calm", "longest refusal ms"],
      lockRows(result),
    ),
    `(longest allowed: ${LOCK_WAIT_MS_MAX} ms; refused by it: UNAVAILABLE for want of a quorum, or ABORTED)`,
    "",
    ...table(
      ["witness", "MiB", "MiB at the end", "files", "at the end", "connections", "at the end"],
      sizes.last.witnesses.map((last, i) => {
        const first = sizes.first.witnesses[i] ?? last;
        const pairs = [[first.residentMiB, last.residentMiB], [first.openFiles, last.openFiles], [
          first.connections,
          last.connections,
        ]];
        return [last.name, ...pairs.flat().map(String)];
      }),
    ),
    `sessions of PostgreSQL: ${sizes.first.sessions}, at the end ${sizes.last.sessions}`,
    ...violations.slice(0, VIOLATIONS_SHOWN_MAX).flatMap((words) => [
      `VIOLATION ${words}`,
      ...namedCalls(words, fleets.find(({ name }) => words.startsWith(`${name}:`))?.calls ?? []),
    ]),
    violations.length > VIOLATIONS_SHOWN_MAX ? `and ${violations.length - VIOLATIONS_SHOWN_MAX} more violations` : "",
  ].filter((line, i, lines) => line !== "" || lines[i - 1] !== "");
}

/** All of a run in one line. */
export function summary(result: RunResult): string {
  const { seed, fleets, counts, sessions, undecided } = result;
  const calls = fleets.flatMap(({ calls }) => calls);
  const faults = [...counts.values()].reduce((sum, count) => sum + count, 0);
  return [
    `seed ${seed}: ${calls.length} operations`,
    `${count(calls, "ok")} acknowledged`,
    `${count(calls, "refused")} refused`,
    `${count(calls, "unknown")} unknown`,
    `${faults} faults`,
    `${violationsOf(result).length} violations`,
    `${undecided.length === 0 ? "nothing" : `${undecided.length} fleets`} undecided`,
    `oldest session ${ms(sessions.oldestMs)} ms`,
  ].join(", ");
}

/**
 * For each loss of nodes that came alone: what it cost the fleet of leases, and the process that then goes by row
 * locks.
 */
function lockRows({ fleets, rounds }: RunResult): string[][] {
  const redlock = sells(fleets.find(({ name }) => name === "redlock")?.calls ?? []);
  const mixed = sells(fleets.find(({ name }) => name === "mixed")?.calls ?? []).filter(({ server }) =>
    server === "mixed-1"
  );
  const calmMs = p99(within(redlock, rounds.filter(({ faults }) => faults[0] === CALM)));
  const rows: string[][] = [];
  const alone = rounds.filter(({ faults }) => faults.length === 1 && faults[0]?.lockOnly === true);
  for (const [name, together] of Map.groupBy(alone, ({ faults }) => faults[0]?.name ?? "")) {
    const loss = together[0]?.faults[0]?.lockLoss;
    const calls = within(redlock, together);
    rows.push([name, ...lockRow(calls, together.length, calmMs)]);
    if (loss !== "quorum") continue;
    rows.push([`  with QUORUM_LOSS=row`, ...lockRow(within(mixed, together), together.length, calmMs)]);
  }
  return rows;
}

function lockRow(calls: readonly Call[], rounds: number, calmMs: number): string[] {
  const refused = refusedByLock(calls);
  const longest = Math.max(0, ...refused.map(durationMs));
  const ratio = calls.length === 0 || calmMs === 0 ? "-" : (p99(calls) / calmMs).toFixed(1);
  return [
    String(rounds),
    String(calls.length),
    String(refused.length),
    ms(p99(calls)),
    ratio,
    refused.length === 0 ? "-" : ms(longest),
  ];
}

function sells(calls: readonly Call[]): Call[] {
  return calls.filter(({ request, answeredMs }) => request.kind === "sell" && answeredMs !== undefined);
}

function refusedByLock(calls: readonly Call[]): Call[] {
  return calls.filter(({ answer }) =>
    answer.outcome === "refused" &&
    (answer.code === "aborted" || (answer.code === "unavailable" && reasonOf(answer.details) === "NO_LOCK_QUORUM"))
  );
}

/**
 * Calls that began in one of the spans, whenever they ended: who is refused after the whole lock wait is answered when
 * the fault is over already. No other fault begins in that time (schedule.ts).
 */
function within(calls: readonly Call[], spans: readonly { readonly fromMs: number; readonly toMs: number }[]): Call[] {
  return calls.filter(({ invokedMs }) => spans.some(({ fromMs, toMs }) => invokedMs >= fromMs && invokedMs <= toMs));
}

function p99(calls: readonly Call[]): number {
  const sorted = calls.map(durationMs).sort((a, b) => a - b);
  return sorted[Math.ceil(sorted.length * 0.99) - 1] ?? 0;
}

function durationMs({ invokedMs, answeredMs }: Call): number {
  return (answeredMs ?? invokedMs) - invokedMs;
}

function count(calls: readonly Call[], outcome: string): number {
  return calls.filter(({ answer }) => answer.outcome === outcome).length;
}

/** Faults of the service, which are refusals to their callers. */
function internal(calls: readonly Call[]): number {
  return calls.filter(({ answer }) => answer.outcome === "refused" && answer.code === "internal").length;
}

function ms(value: number): string {
  return value.toFixed(0);
}

/** A table in plain text: the first column to the left, the others to the right. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = head.map((words, i) => Math.max(words.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    cells.map((cell, i) => i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)).join("  ").trimEnd();
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)];
}
