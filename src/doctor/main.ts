/**
 * `deno task doctor [--orders FILE]`: looks whether a database adds up, after a restore or at any time, and changes
 * nothing. Logs in as DATABASE_OWNER_URL, or as DATABASE_URL, whose role may read all that it looks at.
 *
 * FILE has ids of orders, one a line, that callers got an answer for: those that are not on record are listed. It exits
 * with 0 where nothing was found, with 3 where something was, and with 1 where it could not look.
 */
import { parseArgs } from "node:util";
import { knownMigrations } from "../migrate/known.ts";
import { ownerCommand, UsageError } from "../migrate/owner_command.ts";
import { roleSettings } from "../migrate/role.ts";
import type { OpenSession } from "../migrate/session.ts";
import { examine, type Findings } from "./examine.ts";

/** Something was found. */
const EXIT_FOUND = 3;
const USAGE = "Usage: deno task doctor [--orders FILE]\nFILE has the id of an order on each line.";
/** Of a file of orders: some ten million ids. */
const ORDERS_BYTES_MAX = 512 * 1024 * 1024;
/** Of what was found, so many are shown. */
const FAULTS_SHOWN_MAX = 100;

/** Reads the arguments; what is answered looks, and prints what it finds. */
async function prepare(args: readonly string[]) {
  const orderIds = await idsOf(ordersFile(args));
  const expected = { migrations: knownMigrations(), roleSettings };
  return async (sql: OpenSession["sql"]) => {
    const findings = await examine(sql, expected, orderIds);
    for (const line of linesOf(findings, orderIds.length)) console.log(line);
    return findings.faults.length + findings.missing.length > 0 ? EXIT_FOUND : 0;
  };
}

function ordersFile(args: readonly string[]): string | undefined {
  try {
    return parseArgs({ args: [...args], options: { orders: { type: "string" } } }).values.orders;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/** The ids of a file, each once. */
async function idsOf(path: string | undefined): Promise<string[]> {
  if (path === undefined) return [];
  const { size } = await Deno.stat(path).catch((error) => {
    throw new UsageError(`--orders ${path}: ${(error as Error).name}`);
  });
  if (size > ORDERS_BYTES_MAX) {
    throw new UsageError(`--orders ${path} has ${size} bytes, expected ${ORDERS_BYTES_MAX} or fewer: split it`);
  }
  const lines = (await Deno.readTextFile(path)).split("\n").map((line) => line.trim());
  return [...new Set(lines.filter((line) => line !== ""))];
}

function linesOf({ faults, sizes, missing }: Findings, asked: number): string[] {
  const more = faults.length - FAULTS_SHOWN_MAX;
  return [
    ...(sizes === undefined ? [] : [
      `looked at ${sizes.places} goods at locations, ${sizes.movements} movements and ${sizes.orders} orders; ` +
      `the newest movement is of ${sizes.newest ?? "no time"}`,
    ]),
    ...faults.slice(0, FAULTS_SHOWN_MAX),
    ...(more > 0 ? [`and ${more} more`] : []),
    faults.length === 0 ? "it adds up" : `${faults.length} found`,
    ...(asked === 0 || sizes === undefined
      ? []
      : [`of ${asked} orders that were asked for, ${missing.length} are missing`]),
    ...missing.map((id) => `missing: ${id}`),
  ];
}

if (import.meta.main) Deno.exit(await ownerCommand(USAGE, prepare));
