/**
 * `deno task retain --days N [--period-days P]`: movements older than N days leave, by dropping the partition that they
 * are in, and behind them orders and operations (docs/retention.md). To be run every day, as DATABASE_OWNER_URL. While
 * nobody has ever run it, all is kept.
 */
import { parseArgs } from "node:util";
import { NEVER } from "../base/never.ts";
import { ownerCommand, UsageError } from "../migrate/owner_command.ts";
import type { OpenSession } from "../migrate/session.ts";
import type { Window } from "./plan.ts";
import { retain } from "./retain.ts";

const DAY_MS = 86_400_000;
const PERIOD_DAYS = 30;
/** An id is known for so long at the least: whoever tries again for longer asks first what became of the order. */
const DAYS_MIN = 7;
const DAYS_MAX = 36_500;
/** Of periods at a time: whoever reads the ledger by anything but a period looks into each. */
const PERIODS_MAX = 60;
const USAGE = `Usage: deno task retain --days N [--period-days P]
Movements are kept for N days (${DAYS_MIN} to ${DAYS_MAX}), and leave in periods of P days (N / ${PERIODS_MAX} to N; ${PERIOD_DAYS}).`;

/** Reads the arguments; what is answered does what is due, and prints it. */
function prepare(args: readonly string[]) {
  const window = windowOf(args);
  return async (sql: OpenSession["sql"]) => {
    const { began, dropped, orders, operations } = await retain(sql, window, NEVER);
    console.log(began === undefined ? "the period goes on" : `period ${began} has begun`);
    console.log(dropped.length === 0 ? "no period has left" : `left: period ${dropped.join(", ")}`);
    console.log(`left: ${orders} orders and ${operations} operations`);
    return 0;
  };
}

function windowOf(args: readonly string[]): Window {
  let values: { days?: string | undefined; "period-days"?: string | undefined };
  try {
    const options = { days: { type: "string" }, "period-days": { type: "string" } } as const;
    ({ values } = parseArgs({ args: [...args], options }));
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
  const days = wholeNumber("--days", values.days, DAYS_MIN, DAYS_MAX);
  const least = Math.ceil(days / PERIODS_MAX);
  const usual = Math.min(days, Math.max(least, PERIOD_DAYS));
  const periodDays = wholeNumber("--period-days", values["period-days"] ?? `${usual}`, least, days);
  return { keptMs: days * DAY_MS, periodMs: periodDays * DAY_MS };
}

function wholeNumber(name: string, text: string | undefined, min: number, max: number): number {
  const number = Number(text);
  if (text !== undefined && Number.isInteger(number) && number >= min && number <= max) return number;
  throw new UsageError(`${name}: expected a whole number from ${min} to ${max}, got ${text ?? "nothing"}`);
}

if (import.meta.main) Deno.exit(await ownerCommand(USAGE, prepare));
