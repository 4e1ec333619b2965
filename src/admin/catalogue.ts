/** All metrics, by what they are about: what is scraped, and what docs/metrics.md lists. */
import type { Metric } from "./metric.ts";
import { CALLS } from "./catalogue/calls.ts";
import { DATABASE } from "./catalogue/database.ts";
import { JOBS } from "./catalogue/jobs.ts";
import { LANES } from "./catalogue/lanes.ts";
import { LOCK } from "./catalogue/lock.ts";
import { PORT } from "./catalogue/port.ts";
import { PROCESS } from "./catalogue/process.ts";

/** Metrics that belong together. */
export interface Chapter {
  readonly title: string;
  readonly metrics: readonly Metric[];
}

/** In the sequence in which they are shown. */
export const CHAPTERS: readonly Chapter[] = [
  { title: "Health and the process", metrics: PROCESS },
  { title: "Calls", metrics: CALLS },
  { title: "The service's port", metrics: PORT },
  { title: "Operations and batches", metrics: LANES },
  { title: "The lock", metrics: LOCK },
  { title: "PostgreSQL", metrics: DATABASE },
  { title: "What a process does by itself", metrics: JOBS },
];

/** All of them. */
export const METRICS: readonly Metric[] = CHAPTERS.flatMap(({ metrics }) => metrics);
