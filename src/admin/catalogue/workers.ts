/** What only the port that sums up several workers shows. */

/** How many workers answer there. */
export const WORKERS_METRIC = {
  name: "holdfast_workers",
  type: "gauge",
  help: "workers whose own admin ports answer, and those that are silent: they start, or hang",
  labels: { state: ["answering", "silent"] },
  across: "sum",
} as const;
