/**
 * The walks of README.md and docs/walk.md, run as they stand there: each block of shell, and the answers shown below
 * it. The port is all that is replaced. In an answer `…` stands for what differs from run to run, and for nothing that
 * counts.
 */
import { assert, assertEquals } from "@std/assert";
import { sourceText } from "../support/source_files.ts";
import { serverTest } from "../support/server.ts";

const PORT = "127.0.0.1:8080";
/** Between the answers of two blocks. */
const SEPARATOR = "\x1e";
const RUN_MS_MAX = 60_000;

for (const [page, blocksMin] of [["README.md", 2], ["docs/walk.md", 11]] as const) {
  serverTest(`the walk of ${page} is answered as it says`, {}, async (server) => {
    const steps = stepsOf(sourceText(page));
    assert(steps.length >= blocksMin, `${steps.length} blocks of shell`);
    const script = steps.map(({ shell }) => shell).join(`\nprintf '${SEPARATOR}'\n`);
    assert(script.includes(PORT), script);
    const said = (await run(script.replaceAll(PORT, `127.0.0.1:${server.port}`))).split(SEPARATOR);
    steps.forEach(({ shell, answers }, i) => {
      const wanted = answers.split("\n").filter((line) => line !== "");
      const found = (said[i] ?? "").split("\n").filter((line) => line !== "");
      assertEquals(found.map((line, l) => isAsShown(line, wanted[l] ?? "") ? wanted[l] : line), wanted, shell);
    });
    const [first, again] = lines(said[page === "README.md" ? 0 : 2]).filter((line) => line.includes('"soldAt"'));
    const replayed = first?.replace('"replayed":false', '"replayed":true');
    assertEquals(replayed, again, "the same order sent again is answered the same, letter by letter");
  });
}

/** The blocks of shell of a page, each with the answers that follow before the next. */
function stepsOf(text: string): { readonly shell: string; readonly answers: string }[] {
  const steps: { shell: string; answers: string }[] = [];
  for (const [, language, block = ""] of text.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)) {
    if (language === "sh") steps.push({ shell: block, answers: "" });
    else if (language === "text") steps.at(-1)!.answers += block;
  }
  return steps;
}

function isAsShown(line: string, shown: string): boolean {
  const parts = shown.split("…").map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join(".+")}$`).test(line);
}

function lines(text: string | undefined): string[] {
  return (text ?? "").split("\n");
}

/** What a script of the shell writes to its standard output. Throws with all that it wrote where it fails. */
async function run(script: string): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command("sh", {
    args: ["-euc", script],
    signal: AbortSignal.timeout(RUN_MS_MAX),
  }).output();
  const decoder = new TextDecoder();
  const text = decoder.decode(stdout);
  if (!success) throw new Error(`the walk failed: ${text}${decoder.decode(stderr)}`);
  return text;
}
