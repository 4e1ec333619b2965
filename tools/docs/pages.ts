/** The pages that are made from code, and from the records of the bench, as they are to stand in docs. */
import { apiPage } from "./api_page.ts";
import { measuredPage } from "./measured_page.ts";
import { metricsPage } from "./metrics_page.ts";
import { settingsPage } from "./settings_page.ts";

/** Path, by the repository's root, to text, formatted. */
export async function generatedPages(): Promise<ReadonlyMap<string, string>> {
  return new Map([
    ["docs/api.md", await formatted(await apiPage())],
    ["docs/measured.md", await formatted(measuredPage(await records()))],
    ["docs/metrics.md", await formatted(metricsPage())],
    ["docs/settings.md", await formatted(settingsPage())],
  ]);
}

async function records() {
  const [results, before, versus, turns, hosts, memory] = await Promise.all(
    ["results", "cpu_before", "versus", "turns", "hosts", "memory"].map((name) =>
      Deno.readTextFile(`bench/${name}.json`).then(JSON.parse, (error) => {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      })
    ),
  );
  return { results, before, versus, turns, hosts, memory };
}

async function formatted(text: string): Promise<string> {
  const program = new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--ext", "md", "-"],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const writer = program.stdin.getWriter();
  await writer.write(new TextEncoder().encode(text));
  await writer.close();
  const { success, stdout } = await program.output();
  if (!success) throw new Error("deno fmt can't format a page");
  return new TextDecoder().decode(stdout);
}
