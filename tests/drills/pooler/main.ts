/**
 * `deno task drills pooler [--times N] [--seed N] [--orders N]`: orders through PgBouncer in transaction mode, in the
 * two modes that differ there, and with an address that asks for no prepared statements.
 */
import { runDrills } from "../drill.ts";
import { throughPooler } from "./through_pooler.ts";

const DRILLS = ([
  { concurrency: "redlock", endsSessions: true },
  { concurrency: "row", endsSessions: true },
  { concurrency: "redlock", prepare: "false", endsSessions: false },
] as const).map((size) => ({
  name: ["pooler", ...Object.values(size)].join(" "),
  run: throughPooler.bind(undefined, size),
}));

if (import.meta.main) Deno.exit(await runDrills(DRILLS, Deno.args));
