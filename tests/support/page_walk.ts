/** The walks of pages: their blocks of shell, run as they stand there, and the answers shown below each. */
import { assertEquals } from "@std/assert";

/** A block of shell, and the answers that follow before the next. */
export interface Step {
  readonly shell: string;
  readonly answers: string;
}

/** Between the answers of two blocks. */
const SEPARATOR = "\x1e";

/** The blocks of a text. */
export function stepsOf(text: string): Step[] {
  const steps: { shell: string; answers: string }[] = [];
  for (const [, language, block = ""] of text.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)) {
    if (language === "sh") steps.push({ shell: block, answers: "" });
    else if (language === "text") steps.at(-1)!.answers += block;
  }
  return steps;
}

/** How a walk is run. */
export interface WalkOptions {
  /** What the blocks are changed by, each as it comes to be run. */
  readonly change: (shell: string) => string;
  /** Beside what this process has. */
  readonly env?: Readonly<Record<string, string>>;
  readonly msMax: number;
}

/**
 * Runs the blocks as one script, and compares what each writes with what is shown; in that, `…` stands for whatever
 * differs from run to run. Answers what each block wrote. Throws with all that it wrote where the script fails.
 */
export async function walk(steps: readonly Step[], { change, env = {}, msMax }: WalkOptions): Promise<string[]> {
  const script = steps.map(({ shell }) => change(shell)).join(`\nprintf '${SEPARATOR}'\n`);
  const { success, stdout, stderr } = await new Deno.Command("sh", {
    args: ["-euc", script],
    env,
    signal: AbortSignal.timeout(msMax),
  }).output();
  const [text, errors] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  if (!success) throw new Error(`the walk failed: ${text}${errors}`);
  const written = text!.split(SEPARATOR);
  steps.forEach(({ shell, answers }, i) => {
    const [wanted, found] = [answers, written[i] ?? ""].map((each) => each.split("\n").filter((line) => line !== ""));
    assertEquals(found!.map((line, l) => isAsShown(line, wanted![l] ?? "") ? wanted![l] : line), wanted, shell);
  });
  return written;
}

function isAsShown(line: string, shown: string): boolean {
  const parts = shown.split("…").map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join(".+")}$`).test(line);
}
