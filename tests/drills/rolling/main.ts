/**
 * `deno task drills rolling [--times N] [--seed N] [--orders N]`: a fleet behind HAProxy, each of whose servers is
 * restarted three times under load, with connections that get old meanwhile.
 */
import { runDrills } from "../drill.ts";
import { LONG_ROLLING, rollingRestarts } from "./rolling_restarts.ts";

const DRILLS = [{ name: "rolling", run: rollingRestarts.bind(undefined, LONG_ROLLING) }];

if (import.meta.main) Deno.exit(await runDrills(DRILLS, Deno.args));
