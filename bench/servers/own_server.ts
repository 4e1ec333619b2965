/** A Holdfast server as `deno task start` runs it, with the no-op service beside its own, on any free port. */
import { startApp } from "../../src/app.ts";
import { loadConfig } from "../../src/config/config.ts";
import { serviceModule } from "../../src/services/service_module.ts";
import { createLog } from "../../src/telemetry/create_log.ts";
import { openTracing } from "../../src/telemetry/tracing.ts";
import { BenchService } from "../gen/bench/v1/bench_pb.ts";
import { converse } from "../load/conversation.ts";

/** The service that does nothing. */
const BENCH = serviceModule({
  service: BenchService,
  handlers: { noop: () => ({}) },
  methods: { noop: { right: "reader", bounds: { bytesMax: 4096, counts: [] } } },
  drainExempt: false,
  healthListed: false,
  reflected: "hidden",
});

/** The database that all servers of a run share. */
const DATABASE = "wire";

/** Serves with these settings beside those of the run, until there are no more questions. */
export async function serveBench(own: Readonly<Record<string, string>>): Promise<void> {
  await converse(async ({ stocks }) => {
    const settings = { ...stocks[DATABASE], ...own };
    const app = await startApp(loadConfig((name) => settings[name]), {
      log: createLog("warn", "pretty"),
      tracing: openTracing(),
      services: [BENCH],
    });
    return { url: app.url, close: () => app.close() };
  });
}
