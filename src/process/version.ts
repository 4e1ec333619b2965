/** Says which Holdfast this is. Run by itself it prints the version, for `bin/holdfast --version`. */
import { VERSION } from "../base/version.ts";

/** What a process of ours runs on, for the first line of its log. */
export function buildInfo(): { readonly version: string; readonly deno: string } {
  return { version: VERSION, deno: Deno.version.deno };
}

/** Prints the version and ends the process with 0, where that is what the arguments ask for. */
export function endIfVersionIsAsked(args: readonly string[]): void {
  if (!args.includes("--version")) return;
  printVersion();
  Deno.exit(0);
}

function printVersion(): void {
  console.log(`holdfast ${VERSION}`);
}

if (import.meta.main) printVersion();
