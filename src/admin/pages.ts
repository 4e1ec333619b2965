/** What one process answers on its admin port. */
import type { HealthView } from "../health/board.ts";
import { textAnswer } from "../transport/own_answer.ts";
import { METRICS } from "./catalogue.ts";
import { alivePage, type Pages } from "./handler.ts";
import { createRegistry } from "./registry.ts";
import type { Sources } from "./sources.ts";

/** The pages of a process that shows this. */
export function processPages(sources: Sources): Pages {
  const registry = createRegistry(METRICS, sources);
  return {
    "/livez": alivePage,
    "/readyz": () => {
      const health = sources.served.health();
      return textAnswer(health.ready ? 200 : 503, readinessText(health));
    },
    "/metrics": async () => textAnswer(200, await registry.metrics(), { "content-type": registry.contentType }),
    // What whoever sums up several processes reads.
    "/metrics.json": async () =>
      textAnswer(200, JSON.stringify(await registry.getMetricsAsJSON()), { "content-type": "application/json" }),
  };
}

/** The word that `/readyz` of the service's port says, and behind it a line for each thing that it stands on. */
function readinessText({ ready, leaving, dependencies }: HealthView): string {
  const lines = dependencies.map(({ name, ready, reason }) => `${name}: ${reason ?? (ready ? "ready" : "not ready")}`);
  return [
    ready ? "SERVING" : "NOT_SERVING",
    ...(leaving ? ["shutting down"] : []),
    ...(dependencies.length === 0 ? ["starting: nothing was looked at yet"] : lines),
    "",
  ].join("\n");
}
