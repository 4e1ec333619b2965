/** The rules and the configuration of ops/, as Prometheus's own tool sees them. */
import { assertEquals } from "@std/assert";
import { clientProgram } from "../support/client_programs.ts";

/** What it is asked for, and the files. */
const CHECKS = [
  ["check", "config", "ops/prometheus.yaml"],
  ["check", "rules", "ops/alerts.yaml"],
  ["test", "rules", "ops/alerts_test.yaml"],
] as const;

for (const words of CHECKS) {
  Deno.test(`promtool ${words.join(" ")}`, async () => {
    const { code, stdout, stderr } = await new Deno.Command(clientProgram("promtool"), { args: [...words] }).output();
    const [said, errors] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
    assertEquals(code, 0, `${said}${errors}`);
  });
}
